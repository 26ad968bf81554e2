-- Registers of tax: what a period's invoices and credit notes come to, in the shape in which the authorities want it
-- declared.

-- Functions ---------------------------------------------------------------------------------------

create function private.registration_branches(p_org_id uuid, p_branch_id uuid) returns uuid[]
language plpgsql stable
set search_path = ''
as $$
declare
  v_tax_number text := (select b.tax_number from public.branches b where b.org_id = p_org_id and b.id = p_branch_id);
  v_branches uuid[];
begin
  select array_agg(b.id) into v_branches from public.branches b
  where b.org_id = p_org_id and (p_branch_id is null or b.id = p_branch_id or b.tax_number = v_tax_number);
  if exists (
    select from unnest(v_branches) as t (id) where t.id not in (select private.branches_with('report.read'))) then
    perform private.fail(403, 'permission_denied',
      'A register is of a whole registration, and you do not cover all its branches.',
      '{"permission": "report.read"}');
  end if;
  return coalesce(v_branches, '{}');
end;
$$;

comment on function private.registration_branches(uuid, uuid) is
'The branches that a register is of: all of the organisation, or those under the same tax number as p_branch_id. Closed
ones too: their documents stay. Errors: 403 permission_denied unless the caller covers every one of them with
report.read.';

create function private.check_range(p_from date, p_to date, p_most_days integer default null) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if p_from is null or p_to is null or not isfinite(p_from) or not isfinite(p_to) or p_from > p_to
    or p_to - p_from > p_most_days then
    perform private.fail(400, 'invalid_input', 'p_from and p_to are the first and the last day, in this order'
      || coalesce(format(', at most %s days apart.', p_most_days), '.'), '{"field": "p_from"}');
  end if;
end;
$$;

comment on function private.check_range(date, date, integer) is
'Is this a period, first day and last? p_most_days: how many days lie between them at most, null for any number. Errors:
400 invalid_input.';

create function private.first_instant(p_day date) returns timestamptz
language plpgsql immutable
set search_path = ''
as $$
begin
  return (p_day - 1)::timestamp at time zone 'UTC';
end;
$$;

comment on function private.first_instant(date) is
'An instant before which it is that day nowhere: what has this business date, or a later one, is found by an index on
its instant from here on. A local date is never more than a day away from UTC''s. No errors.';

create function private.last_instant(p_day date) returns timestamptz
language plpgsql immutable
set search_path = ''
as $$
begin
  return (p_day + 2)::timestamp at time zone 'UTC';
end;
$$;

comment on function private.last_instant(date) is
'An instant from which on it is that day nowhere any more, as private.first_instant. No errors.';

create function private.tax_documents(p_org_id uuid, p_branches uuid[], p_from date, p_to date)
returns table (document text, sign integer, id uuid, invoice_id uuid, number text, business_date date,
  invoice_number text,
  invoice_date date, seller_number text, buyer_number text, buyer_name text, place text, place_name text,
    supply_type text,
  reverse_charge boolean, total numeric, invoice_total numeric, cancelled boolean, outside_gst boolean)
language plpgsql stable
set search_path = ''
as $$
declare
  v_from timestamptz := private.first_instant(p_from);
  v_to timestamptz := private.last_instant(p_to);
begin
  return query
  select 'invoice'::text, 1, i.id, i.id, i.number, i.business_date, i.number, i.business_date,
    i.seller ->> 'tax_number',
    i.buyer ->> 'tax_number', i.buyer ->> 'name', i.place_of_supply, i.place_of_supply_name, i.supply_type,
      i.reverse_charge, i.total,
    i.total, i.status = 'void' and i.credited = 0, i.tax_regime <> 'gst'
      or coalesce(i.seller ->> 'tax_scheme' = 'composition', false)
  from public.invoices i
  -- The index knows the instant; the business date is the branch's local one, at most a day away.
  where i.branch_id = any (p_branches) and i.org_id = p_org_id and i.number is not null and i.status <> 'draft'
    and i.issued_at >= v_from and i.issued_at < v_to
    and i.business_date between p_from and p_to
  union all
  select 'credit_note'::text, -1, c.id, i.id, c.number, c.business_date, i.number, i.business_date,
    i.seller ->> 'tax_number',
    i.buyer ->> 'tax_number', i.buyer ->> 'name', i.place_of_supply, i.place_of_supply_name, i.supply_type,
      i.reverse_charge, c.total,
    i.total, false, i.tax_regime <> 'gst' or coalesce(i.seller ->> 'tax_scheme' = 'composition', false)
  from public.credit_notes c join public.invoices i on i.org_id = c.org_id and i.id = c.invoice_id
  where c.branch_id = any (p_branches) and c.org_id = p_org_id
    and c.issued_at >= v_from and c.issued_at < v_to
    and c.business_date between p_from and p_to;
end;
$$;

comment on function private.tax_documents(uuid, uuid[], date, date) is
'The invoices and credit notes of a period, as the registers read them. sign: 1, or -1 for what is credited; invoice_*:
of the invoice that a credit note is of; cancelled: voided without a credit note; outside_gst: under another regime or
the composition scheme. Drafts are none.';

create function private.tax_vouchers(p_org_id uuid, p_branches uuid[], p_from date, p_to date)
returns table (document text, seller_number text, number text)
language plpgsql stable
set search_path = ''
as $$
declare
  v_from timestamptz := private.first_instant(p_from);
  v_to timestamptz := private.last_instant(p_to);
begin
  if not exists (
    select from public.organizations o where o.id = p_org_id and o.tax_regime = 'gst' and o.tax_scheme = 'regular') then
    return;
  end if;
  return query
  select 'Receipt vouchers', b.tax_number, p.number
  from public.payments p join public.branches b on b.org_id = p.org_id and b.id = p.branch_id
  where p.branch_id = any (p_branches) and p.org_id = p_org_id and p.number is not null
    and p.received_at >= v_from and p.received_at < v_to and p.business_date between p_from and p_to
  union all
  select 'Refund vouchers', b.tax_number, f.number
  from public.refunds f join public.branches b on b.org_id = f.org_id and b.id = f.branch_id
  where f.branch_id = any (p_branches) and f.org_id = p_org_id and f.number is not null
    and f.refunded_at >= v_from and f.refunded_at < v_to and f.business_date between p_from and p_to;
end;
$$;

comment on function private.tax_vouchers(uuid, uuid[], date, date) is
'The receipt and refund vouchers of a period (CGST Act 2017, section 31(3)(d) and (e)), under the GSTIN that their
branch has now; none but under the regular scheme of GST. What was paid or paid back with a counter sale has no voucher.
No errors.';

create function private.gst_registers(p_org_id uuid, p_branches uuid[], p_from date, p_to date) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    with known as materialized (
      select d.*, case
          when d.supply_type in ('export', 'sez') then 'exp'
          when d.buyer_number is not null then 'b2b'
          when d.supply_type = 'inter_state' and d.invoice_total > private.tax_threshold('IN', 'b2cl', d.invoice_date)
            then 'b2cl'
          else 'b2cs' end as kind
      from private.tax_documents(p_org_id, p_branches, p_from, p_to) d where not d.outside_gst
    ), documents as materialized (
      select k.*, case when k.document = 'invoice' or k.kind = 'b2cs' then k.kind
          when k.buyer_number is not null and k.supply_type <> 'export' then 'cdnr' else 'cdnur' end as section
      from known k where not k.cancelled
    ), lines as (
      select d.id, d.sign, l.hsn_code, l.unit, l.quantity, l.base_quantity, l.tax_kind, l.tax_rate, l.taxable, l.taxes
      from documents d join public.invoice_lines l on l.org_id = p_org_id and l.invoice_id = d.id where d.sign > 0
      union all
      select d.id, d.sign, l.hsn_code, l.unit, l.quantity, l.base_quantity, l.tax_kind, l.tax_rate, l.taxable, l.taxes
      from documents d join public.credit_note_lines l on l.org_id = p_org_id and l.credit_note_id = d.id
        where d.sign < 0
    ), parts as materialized (
      -- Signed; everything below is summed from these few. Of a line under reverse charge taxes keep the rate of the
      -- cess.
      select l.id, l.hsn_code, case when l.hsn_code like '99%' then 'NA' else l.unit end as unit, l.tax_kind, l.tax_rate
        as rate,
        case when l.hsn_code like '99%' then 0 else sum(l.sign * l.quantity) end as quantity, sum(l.sign * l.taxable)
          as taxable,
        coalesce(sum(l.sign * t.igst), 0.00) as igst, coalesce(sum(l.sign * t.cgst), 0.00) as cgst,
        coalesce(sum(l.sign * t.sgst), 0.00) as sgst, coalesce(sum(l.sign * t.cess), 0.00) as cess,
        sum(case when l.tax_kind = 'reverse_charge' then l.sign * (round(l.taxable * l.tax_rate / 100, 2) + coalesce((
            select sum(round(l.taxable * (x ->> 'rate')::numeric / 100, 2)
              + round(coalesce((x ->> 'per_unit')::numeric, 0) * l.base_quantity, 2))
            from jsonb_array_elements(l.taxes) x), 0)) else 0.00 end) as recipient_tax
      from lines l
      cross join lateral (
        select sum((x ->> 'amount')::numeric) filter (where x ->> 'component' = 'IGST') as igst,
          sum((x ->> 'amount')::numeric) filter (where x ->> 'component' = 'CGST') as cgst,
          sum((x ->> 'amount')::numeric) filter (where x ->> 'component' in ('SGST', 'UTGST')) as sgst,
          sum((x ->> 'amount')::numeric) filter (where x ->> 'component' = 'CESS') as cess
        from jsonb_array_elements(l.taxes) x) t
      group by l.id, l.hsn_code, 3, l.tax_kind, l.tax_rate
    ), sorted as materialized (
      select p.*, d.seller_number, d.document, d.place, d.supply_type, d.buyer_number is not null as registered,
        case when p.tax_kind in ('nil_rated', 'exempt', 'non_gst', 'untaxed') then 'nil' else d.section end as section
      from parts p join documents d on d.id = p.id
    ), sums as (
      select s.seller_number, s.section, jsonb_build_object('documents', count(distinct s.id), 'taxable',
        sum(s.taxable), 'igst',
          sum(s.igst), 'cgst', sum(s.cgst), 'sgst', sum(s.sgst), 'cess', sum(s.cess), 'recipient_tax',
            sum(s.recipient_tax)) as sums
      from sorted s group by grouping sets ((s.seller_number, s.section), (s.seller_number))
    ), rates as (
      select s.id, s.section, s.rate, abs(sum(s.taxable)) as taxable, abs(sum(s.igst)) as igst, abs(sum(s.cgst))
        as cgst,
        abs(sum(s.sgst)) as sgst, abs(sum(s.cess)) as cess, abs(sum(s.recipient_tax)) as recipient_tax,
        bool_or(s.tax_kind = 'taxable') as taxed
      from sorted s where s.section not in ('b2cs', 'nil') group by s.id, s.section, s.rate
    ), items as (
      select r.id, r.section, bool_or(r.taxed) as taxed,
        jsonb_agg(to_jsonb(r) - 'id' - 'section' - 'taxed' order by r.rate) as list
      from rates r group by r.id, r.section
    ), listed as (
      select d.seller_number, i.section, jsonb_agg(jsonb_build_object('number', d.number, 'date', d.business_date,
        'gstin', d.buyer_number,
          'name', d.buyer_name, 'value', d.total, 'place_of_supply', d.place, 'reverse_charge', d.reverse_charge,
          'type', case when i.section = 'cdnur' then case when d.supply_type <> 'export' then 'B2CL' when i.taxed
            then 'EXPWP'
          else 'EXPWOP' end
            when d.supply_type not in ('export', 'sez') then 'R'
            when i.taxed then case d.supply_type when 'export' then 'WPAY' else 'SEWP' end
            else case d.supply_type when 'export' then 'WOPAY' else 'SEWOP' end end, 'items', i.list)
        || case when d.document = 'credit_note'
          then jsonb_build_object('invoice_number', d.invoice_number, 'invoice_date', d.invoice_date) else '{}' end
        order by d.business_date, d.number) as rows
      from items i join documents d on d.id = i.id group by d.seller_number, i.section
    ), small as (
      select s.seller_number, s.place as place_of_supply, case s.supply_type when 'intra_state' then 'INTRA'
        else 'INTER' end as type, s.rate,
        sum(s.taxable) as taxable, sum(s.igst) as igst, sum(s.cgst) as cgst, sum(s.sgst) as sgst, sum(s.cess) as cess
      from sorted s where s.section = 'b2cs' group by 1, 2, 3, 4
    ), untaxed as (
      select s.seller_number, case when s.supply_type = 'intra_state' then 'INTRA' else 'INTER' end
          || case when s.registered then 'B2B' else 'B2C' end as type,
        coalesce(sum(s.taxable) filter (where s.tax_kind = 'nil_rated'), 0.00) as nil_rated,
        coalesce(sum(s.taxable) filter (where s.tax_kind = 'exempt'), 0.00) as exempt,
        coalesce(sum(s.taxable) filter (where s.tax_kind = 'non_gst'), 0.00) as non_gst
      from sorted s where s.section = 'nil' group by 1, 2
    ), hsn as (
      -- Exports go with the consumers: table 12 counts as B2B what tables 4, 6B and 6C list.
      select s.seller_number, s.registered and s.supply_type <> 'export' as b2b, s.hsn_code, s.unit, s.rate,
        sum(s.quantity) as quantity,
        sum(s.taxable + s.igst + s.cgst + s.sgst + s.cess) as value, sum(s.taxable) as taxable, sum(s.igst) as igst,
          sum(s.cgst) as cgst,
        sum(s.sgst) as sgst, sum(s.cess) as cess
      from sorted s group by 1, 2, s.hsn_code, s.unit, s.rate
    ), rows as (
      select l.seller_number, l.section, l.rows from listed l
      union all
      select t.seller_number, 'b2cs', jsonb_agg(to_jsonb(t) - 'seller_number' order by t.place_of_supply, t.rate)
        from small t group by 1
      union all
      select u.seller_number, 'nil', jsonb_agg(to_jsonb(u) - 'seller_number' order by u.type) from untaxed u group by 1
      union all
      select h.seller_number, case when h.b2b then 'hsn_b2b' else 'hsn_b2c' end,
        jsonb_agg(to_jsonb(h) - 'seller_number' - 'b2b' order by h.hsn_code, h.rate, h.unit)
      from hsn h group by 1, h.b2b
    ), issued as (
      select k.seller_number, case k.document when 'invoice' then 'Invoices for outward supply' else 'Credit notes' end
        as document, k.number,
        k.cancelled from known k
      union all
      select v.seller_number, v.document, v.number, false
        from private.tax_vouchers(p_org_id, p_branches, p_from, p_to) v
    ), series as (
      -- BLR/26-27/C99999 and BLR/26-27C100000 are of one series: private.take_number.
      select i.seller_number, i.document, (array_agg(i.number order by i.serial))[1] as "from",
        (array_agg(i.number order by i.serial desc))[1] as "to", count(*) as total,
        count(*) filter (where i.cancelled) as cancelled, count(*) filter (where not i.cancelled) as net
      from (select x.*, substring(x.number from '[0-9]+$')::integer as serial from issued x) i
      group by i.seller_number, i.document, regexp_replace(i.number, '/?([A-Z]?)[0-9]+$', '/\1')
    ), registrations as (
      select s.seller_number, jsonb_agg(to_jsonb(s) - 'seller_number' order by s.document, s."from") as docs
        from series s group by 1
    ), none as (
      select '{"documents": 0, "taxable": 0.00, "igst": 0.00, "cgst": 0.00, "sgst": 0.00, "cess": 0.00,
        "recipient_tax": 0.00}'::jsonb
        as sums
    )
    select coalesce(jsonb_agg(jsonb_build_object('gstin', r.seller_number, 'docs', jsonb_build_object('rows', r.docs),
        'sums', coalesce(w.sums, none.sums), 'hsn', jsonb_build_object('sums', coalesce(w.sums, none.sums),
          'b2b', coalesce((
            select o.rows from rows o
            where o.section = 'hsn_b2b' and o.seller_number is not distinct from r.seller_number), '[]'),
          'b2c', coalesce((
            select o.rows from rows o
            where o.section = 'hsn_b2c' and o.seller_number is not distinct from r.seller_number), '[]')))
      || (
        select jsonb_object_agg(n.section, jsonb_build_object(
          'sums', coalesce((
            select t.sums from sums t where t.section = n.section and t.seller_number is not distinct
              from r.seller_number), none.sums),
          'rows', coalesce((
            select o.rows from rows o where o.section = n.section and o.seller_number is not distinct
              from r.seller_number), '[]')))
        from unnest(array['b2b', 'b2cl', 'b2cs', 'exp', 'cdnr', 'cdnur', 'nil']) n (section))
      order by r.seller_number), '[]')
    from registrations r cross join none
    left join sums w on w.section is null and w.seller_number is not distinct from r.seller_number);
end;
$$;

comment on function private.gst_registers(uuid, uuid[], date, date) is
'The register of every GSTIN among the branches, in the sections of form GSTR-1 (CGST Rules 2017, rule 59(4)), in the
shape of gstr1. A credit note to a registered person goes to cdnr, one for an export or a large inter-State invoice to
cdnur; any other lessens b2cs. Lines are read and summed once, by document, rate, kind, code and unit; every table is a
sum of these. No errors.';

create function public.gstr1(p_org_id uuid, p_from date, p_to date, p_branch_id uuid default null) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_branches uuid[];
begin
  perform private.authorize('report.read', p_org_id, p_branch_id);
  perform private.check_range(p_from, p_to, 366);
  v_branches := private.registration_branches(p_org_id, p_branch_id);
  return jsonb_build_object('org_id', p_org_id, 'from', p_from, 'to', p_to, 'b2cl_above',
    private.tax_threshold('IN', 'b2cl', p_to),
    'registrations', private.gst_registers(p_org_id, v_branches, p_from, p_to));
end;
$$;

comment on function public.gstr1(uuid, date, date, uuid) is
'The register of outward supplies in the sections of form GSTR-1 (CGST Rules 2017, rule 59), from the invoices and
credit notes as they were issued. p_org_id. p_from, p_to: first and last business date, a year at most. p_branch_id:
only the registration (GSTIN) of this branch; null for all, each by itself. Returns {"from", "to", "b2cl_above",
"registrations": [{"gstin", "b2b", "b2cl", "b2cs", "exp" (and SEZ), "cdnr", "cdnur", "nil", "hsn": {"b2b", "b2c"},
"docs", "sums"}]}; a section has "rows" and "sums" (documents, taxable, igst, cgst, sgst, cess, recipient_tax), amounts
in rupees, credit notes negative in sums; all sections but hsn and docs add up to "sums". b2cs and nil are less what was
credited. recipient_tax: what buyers pay under reverse charge, cess included. docs: every series of invoices, credit
notes, receipt and refund vouchers, with first and last number. Advances (table 11) are not in it (docs/decisions/0012).
Documents under the composition scheme are not in it: they are declared in GSTR-4. Errors: 401, 404 not_found, 403
permission_denied, 400 invalid_input. Permission: report.read at all branches of the registration.';
revoke execute on function public.gstr1(uuid, date, date, uuid) from public, anon;
grant execute on function public.gstr1(uuid, date, date, uuid) to authenticated;

create function public.vat_return(p_org_id uuid, p_from date, p_to date, p_branch_id uuid default null) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_branches uuid[];
begin
  perform private.authorize('report.read', p_org_id, p_branch_id);
  perform private.check_range(p_from, p_to, 366);
  v_branches := private.registration_branches(p_org_id, p_branch_id);
  return (
    with documents as materialized (
      select * from private.tax_documents(p_org_id, v_branches, p_from, p_to) d where not d.cancelled
    ), lines as materialized (
      select d.place, d.place_name, d.supply_type, d.sign, l.tax_kind, l.tax_rate, l.taxable, l.tax, l.taxes
      from documents d join public.invoice_lines l on l.org_id = p_org_id and l.invoice_id = d.id where d.sign > 0
      union all
      select d.place, d.place_name, d.supply_type, d.sign, l.tax_kind, l.tax_rate, l.taxable, l.tax, l.taxes
      from documents d join public.credit_note_lines l on l.org_id = p_org_id and l.credit_note_id = d.id
        where d.sign < 0
    ), components as (
      select l.place, max(l.place_name) as place_name, c ->> 'component' as component, (c ->> 'rate')::numeric as rate,
        sum(l.sign * l.taxable) as taxable, sum(l.sign * (c ->> 'amount')::numeric) as tax
      from lines l cross join lateral jsonb_array_elements(l.taxes) c where l.tax_kind <> 'reverse_charge' group by 1,
        3, 4
    ), untaxed as (
      select l.place, max(l.place_name) as place_name, l.supply_type, l.tax_kind, sum(l.sign * l.taxable) as taxable
      from lines l where l.taxes = '[]' or l.tax_kind = 'reverse_charge' group by 1, 3, 4
    )
    select jsonb_build_object('org_id', p_org_id, 'from', p_from, 'to', p_to,
      'rows', (select coalesce(jsonb_agg(to_jsonb(c) order by c.place, c.component, c.rate desc), '[]')
        from components c),
      'untaxed', (select coalesce(jsonb_agg(to_jsonb(u) order by u.place, u.supply_type, u.tax_kind), '[]')
        from untaxed u),
      'sums', (select jsonb_build_object('taxable', coalesce(sum(l.sign * l.taxable), 0.00), 'tax',
        coalesce(sum(l.sign * l.tax), 0.00))
        from lines l)));
end;
$$;

comment on function public.vat_return(uuid, date, date, uuid) is
'Output tax of a period by place, component and rate, as returns of VAT and sales tax ask for it. p_org_id. p_from,
p_to: first and last business date, a year at most. p_branch_id: only the registration of this branch; null for the
whole organisation. Returns {"from", "to", "rows": [{"place", "place_name", "component", "rate" (percent), "taxable",
"tax"}], "untaxed": [{"place", "supply_type", "tax_kind", "taxable"}] (exports, supplies within a tax union, reverse
charge, exempt and zero-rated), "sums": {"taxable", "tax"}}, amounts in the organisation''s currency, less what was
credited; the taxes of the rows add up to that of the documents. Errors: 401, 404 not_found, 403 permission_denied, 400
invalid_input. Permission: report.read at all branches of the registration.';
revoke execute on function public.vat_return(uuid, date, date, uuid) from public, anon;
grant execute on function public.vat_return(uuid, date, date, uuid) to authenticated;
