"""What must hold after any number of sales, however they were made, cut short or killed."""

import uuid
from typing import Any

import psycopg

# Each query returns one row per violation. %(org)s is the organisation.
_RULES = {
    "a series has a gap or a number twice": """
        select i.branch_id, split_part(i.number, '/', 2) as fiscal_year, count(*) as invoices,
          count(distinct i.number) as numbers, max(split_part(i.number, '/', 3)::integer) as last,
          max(c.last_value) as counter
        from public.invoices i
        left join private.number_counters c on c.org_id = i.org_id and c.branch_id = i.branch_id
          and c.kind = 'invoice' and c.fiscal_year = split_part(i.number, '/', 2)
        where i.org_id = %(org)s and i.number is not null
        group by 1, 2
        having count(*) <> count(distinct i.number) or count(*) <> max(split_part(i.number, '/', 3)::integer)
          or count(*) is distinct from max(c.last_value)
    """,
    "a counter counted numbers that no invoice has": """
        select c.branch_id, c.fiscal_year, c.last_value from private.number_counters c
        where c.org_id = %(org)s and c.kind = 'invoice' and not exists (
          select from public.invoices i where i.org_id = c.org_id and i.branch_id = c.branch_id
            and split_part(i.number, '/', 2) = c.fiscal_year)
    """,
    "a stock level differs from the ledger": """
        with ends as (
          select to_location_id as location_id, variant_id, quantity from public.stock_movements
          where org_id = %(org)s
          union all
          select from_location_id, variant_id, -quantity from public.stock_movements where org_id = %(org)s
        ), ledger as (
          select e.location_id, e.variant_id, sum(e.quantity) as quantity
          from ends e join public.locations l on l.org_id = %(org)s and l.id = e.location_id and l.holds_stock
          group by 1, 2
        )
        select location_id, variant_id, s.on_hand, g.quantity
        from (select * from public.stock_levels where org_id = %(org)s) s
        full join ledger g using (location_id, variant_id)
        where coalesce(s.on_hand, 0) <> coalesce(g.quantity, 0) or s.on_hand < 0 or g.quantity < 0
    """,
    "an invoice is not whole": """
        select i.number, l.lines, l.taxable, i.subtotal, m.movements, a.allocated, i.paid, e.events,
          r.requests
        from public.invoices i
        cross join lateral (
          select count(*) as lines, sum(taxable) as taxable, sum(tax) as tax from public.invoice_lines l
          where l.org_id = i.org_id and l.invoice_id = i.id) l
        cross join lateral (
          select count(*) as movements from public.stock_movements m
          where m.org_id = i.org_id and m.document_id = i.id and m.document = 'invoice') m
        cross join lateral (
          select coalesce(sum(a.amount), 0) as allocated from public.payment_allocations a
          join public.payments p on p.org_id = a.org_id and p.id = a.payment_id
          where a.org_id = i.org_id and a.invoice_id = i.id) a
        left join (
          select payload ->> 'invoice_id' as invoice_id, count(*) as events from private.outbox
          where org_id = %(org)s and event = 'invoice.issued' group by 1) e on e.invoice_id = i.id::text
        left join (
          select id, count(*) as requests from private.requests
          where org_id = %(org)s and act in ('post_sale', 'create_invoice', 'invoice_order') group by 1) r
          on r.id = i.id
        where i.org_id = %(org)s and (l.lines = 0 or l.taxable <> i.subtotal or l.tax <> i.tax
          or m.movements <> case when i.order_id is null then l.lines else 0 end
          or a.allocated <> i.paid or e.events is distinct from 1
          or r.requests is distinct from 1)
    """,
    "what cannot change was copied into the audit log": """
        select g.table_name, g.row_id from audit.log g
        where g.org_id = %(org)s and g.action = 'insert'
          and g.table_name in ('invoices', 'invoice_lines', 'payments', 'payment_allocations')
    """,
    "something was left of a sale that has no invoice": """
        select 'requests' as what, r.id::text from private.requests r
        where r.org_id = %(org)s and r.act = 'post_sale'
          and not exists (select from public.invoices i where i.org_id = r.org_id and i.id = r.id)
        union all
        select 'stock_movements', m.document_id::text from public.stock_movements m
        where m.org_id = %(org)s and m.document = 'invoice'
          and not exists (select from public.invoices i where i.org_id = m.org_id and i.id = m.document_id)
        union all
        select 'outbox', o.payload ->> 'invoice_id' from private.outbox o
        where o.org_id = %(org)s and o.event = 'invoice.issued' and not exists (
          select from public.invoices i where i.org_id = o.org_id and i.id::text = o.payload ->> 'invoice_id')
        union all
        select 'payments', p.id::text from public.payments p
        where p.org_id = %(org)s and p.number is null and not exists (
          select from public.payment_allocations a where a.org_id = p.org_id and a.payment_id = p.id)
        union all
        select 'audit', g.row_id from audit.log g
        where g.org_id = %(org)s and g.table_name = 'invoices'
          and not exists (select from public.invoices i where i.org_id = g.org_id and i.id::text = g.row_id)
    """,
    "a payment or a credit note gives more than it has": """
        select 'payment' as what, p.id, private.unallocated(p.org_id, p.id) as left from public.payments p
        where p.org_id = %(org)s and private.unallocated(p.org_id, p.id) < 0
        union all
        select 'credit note', c.id, private.credit_left(c.org_id, c.id) from public.credit_notes c
        where c.org_id = %(org)s and private.credit_left(c.org_id, c.id) < 0
    """,
    "credited is not what credit notes gave": """
        select i.number, i.credited from public.invoices i
        where i.org_id = %(org)s and i.credited <> coalesce((
          select sum(a.amount) from public.credit_note_allocations a
          where a.org_id = i.org_id and a.invoice_id = i.id), 0)
    """,
    "more was credited than was sold": """
        select l.sku, l.quantity, sum(c.quantity) as credited from public.credit_note_lines c
        join public.invoice_lines l on l.org_id = c.org_id and l.invoice_id = c.invoice_id
          and l.line_no = c.line_no
        where c.org_id = %(org)s group by l.invoice_id, l.line_no, l.sku, l.quantity
        having sum(c.quantity) > l.quantity
    """,
    "an order's line is delivered or invoiced beyond its quantity": """
        select o.number, p.line_no, p.quantity, p.delivered, p.invoiced
        from public.sales_orders o, private.order_progress(o.org_id, o.id) p
        where o.org_id = %(org)s and (p.delivered > p.quantity or p.invoiced > p.quantity)
    """,
    "a series of other papers has a gap": """
        select d.kind, d.branch_id, count(*) as papers, max(c.last_value) as counter
        from (
          select 'receipt' as kind, branch_id, number from public.payments
          where org_id = %(org)s and number is not null
          union all
          select 'credit_note', branch_id, number from public.credit_notes where org_id = %(org)s
          union all
          select 'refund', branch_id, number from public.refunds where org_id = %(org)s
          union all
          select 'quotation', branch_id, number from public.quotations
          where org_id = %(org)s and number is not null
          union all
          select 'sales_order', branch_id, number from public.sales_orders
          where org_id = %(org)s and number is not null
          union all
          select 'delivery', branch_id, number from public.deliveries where org_id = %(org)s) d
        left join private.number_counters c on c.org_id = %(org)s and c.branch_id = d.branch_id
          and c.kind = d.kind and c.fiscal_year = substring(d.number from '/([0-9-]+)')
        group by 1, 2, substring(d.number from '/([0-9-]+)')
        having count(*) <> count(distinct d.number) or count(*) is distinct from max(c.last_value)
    """,
    "a customer owes more than his credit limit": """
        select c.id, c.credit_limit, sum(i.balance) as owed
        from public.customers c join public.invoices i on i.org_id = c.org_id and i.customer_id = c.id
        where c.org_id = %(org)s group by c.org_id, c.id, c.credit_limit
        having sum(i.balance) > c.credit_limit
          and sum(i.balance) - private.free_credit(c.org_id, c.id) > c.credit_limit
    """,
    "what is kept is not what its entries say": """
        select problem, id, expected, found from private.held_findings(%(org)s)
        union all
        select problem, id, expected, found from private.points_held_findings(%(org)s)
        union all
        select problem, id, expected, found from private.account_findings(%(org)s)
    """,
}


def violations(connection: psycopg.Connection[tuple[Any, ...]], org_id: uuid.UUID) -> list[str]:
    """Every rule that the organisation's books break, in words with the facts; empty when all is well.

    Parameters:
        connection: as role postgres, so that no policy hides a row.
        org_id: the organisation.
    """
    found: list[str] = []
    for rule, query in _RULES.items():
        rows = connection.execute(query.encode(), {"org": org_id}).fetchmany(5)
        found.extend(f"{rule}: {', '.join(str(value) for value in row)}" for row in rows)
    return found


def deadlocks(connection: psycopg.Connection[tuple[Any, ...]]) -> int:
    """How many deadlocks Postgres has broken in this database."""
    row = connection.execute(
        "select pg_stat_get_db_deadlocks(oid) from pg_database where datname = current_database()"
    ).fetchone()
    assert row is not None
    return int(row[0])
