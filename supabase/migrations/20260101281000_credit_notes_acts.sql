-- The acts of credit notes: issue, apply to other invoices, read.

create function private.note_credit(p_org_id uuid, p_credit_note_id uuid, p_invoice_id uuid,
  p_amount numeric) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.credit_note_allocations (org_id, credit_note_id, invoice_id, entry, branch_id, amount)
  select p_org_id, p_credit_note_id, i.id, coalesce((
      select max(a.entry) from public.credit_note_allocations a
      where a.org_id = p_org_id and a.invoice_id = i.id and a.credit_note_id = p_credit_note_id), 0) + 1, i.branch_id,
        p_amount
  from public.invoices i where i.org_id = p_org_id and i.id = p_invoice_id;
  perform private.hold_money(p_org_id, null, p_credit_note_id, -p_amount);
end;
$$;

comment on function private.note_credit(uuid, uuid, uuid, numeric) is
'Writes the entry of what a credit note settles of an invoice; the caller holds the locks of both. Errors: as
private.hold_money.';

create function private.lock_credit(p_org_id uuid, p_credit_note_id uuid, p_customer_id uuid,
  p_permission text) returns numeric
language plpgsql
set search_path = ''
as $$
declare
  v_customer_id uuid;
begin
  select customer_id into v_customer_id from public.credit_notes
  where org_id = p_org_id and id = p_credit_note_id
    and branch_id in (select private.branches_with(p_permission)) for no key update;
  if not found then
    perform private.fail(404, 'not_found', 'There is no such credit note.',
      jsonb_build_object('credit_note_id', p_credit_note_id));
  elsif v_customer_id is distinct from p_customer_id then
    perform private.fail(422, 'customer_mismatch', 'This credit note is another customer''s.',
      jsonb_build_object('credit_note_id', p_credit_note_id));
  end if;
  return private.credit_left(p_org_id, p_credit_note_id);
end;
$$;

comment on function private.lock_credit(uuid, uuid, uuid, text) is
'Locks a customer''s credit note, after the invoices concerned, and returns what is left of it. p_permission: which the
caller holds at the branch that issued it. Errors: 404 not_found, 422 customer_mismatch.';

-- Issuing -----------------------------------------------------------------------------------------

create function private.return_place(p_org_id uuid, p_invoice public.invoices, p_location_id uuid) returns uuid
language plpgsql stable
set search_path = ''
as $$
declare
  v_id uuid := (
    select id from public.locations
    where org_id = p_org_id and id = coalesce(p_location_id, p_invoice.location_id) and archived_at is null
      and branch_id in (select private.member_branches()));
begin
  if v_id is null then
    perform private.fail(404, 'not_found', 'Say to which location of yours the goods come back.',
      '{"field": "location_id"}');
  end if;
  return v_id;
end;
$$;

comment on function private.return_place(uuid, public.invoices, uuid) is
'Where goods come back to: the location named, else the one they were sold from. Errors: 404 not_found.';

create function private.post_credit_note(p_org_id uuid, p_id uuid, p_invoice_id uuid, p_lines jsonb, p_reason text,
  p_location_id uuid, p_goods_return_id uuid, p_at timestamptz, p_voids boolean)
returns numeric
language plpgsql
set search_path = ''
as $$
declare
  v_invoice public.invoices;
  v_date date;
  v_lines jsonb;
  v_moving jsonb;
  v_sums record;
  v_before record;
  v_complete boolean;
  v_total numeric;
  v_applied numeric;
  v_number text;
begin
  select * into v_invoice from public.invoices where org_id = p_org_id and id = p_invoice_id for no key update;
  if v_invoice.status in ('draft', 'void') then
    perform private.fail(409, 'invoice_not_open', 'Nothing is paid or credited on a draft or a void invoice.',
      jsonb_build_object('invoice_id', p_invoice_id, 'number', v_invoice.number, 'status', v_invoice.status));
  elsif p_at < v_invoice.issued_at then
    perform private.fail(400, 'invalid_input', 'A credit note is not older than its invoice.',
      '{"field": "occurred_at"}');
  elsif p_goods_return_id is not null and not exists (
    select from public.goods_returns where org_id = p_org_id and id = p_goods_return_id
      and invoice_id = p_invoice_id) then
    perform private.fail(404, 'not_found', 'The invoice has no such goods return.', '{"field": "goods_return_id"}');
  elsif exists (select from public.credit_notes where org_id = p_org_id and goods_return_id = p_goods_return_id) then
    perform private.fail(409, 'goods_return_credited', 'This goods return has its credit note.',
      jsonb_build_object('goods_return_id', p_goods_return_id));
  end if;
  perform private.refuse_credit(p_org_id, p_invoice_id, p_lines, p_goods_return_id);
  v_lines := private.credit_lines(p_org_id, p_invoice_id, p_lines, p_goods_return_id);
  select jsonb_agg(jsonb_build_object('line_no', l -> 'line_no', 'quantity', l -> 'quantity', 'serials', l -> 'serials',
    'disposition', l -> 'disposition')) into v_moving
  from jsonb_array_elements(v_lines) l where l ->> 'disposition' <> 'none' and p_goods_return_id is null;
  v_date := private.local_date(p_org_id, v_invoice.branch_id, p_at);
  perform private.assert_period_open(p_org_id, v_date);
  if v_moving is not null then
    perform private.refuse_excess(p_org_id, p_invoice_id, v_moving);
    perform private.take_back(p_org_id, p_id, p_invoice_id, private.return_place(p_org_id, v_invoice, p_location_id),
      v_moving,
      p_reason, p_at, v_date);
  end if;

  -- The round-off goes with the last of it; before that no more is credited than the invoice's total.
  select sum((l ->> 'taxable')::numeric) as taxable, sum((l ->> 'discount')::numeric) as discount,
    sum((l ->> 'tax')::numeric) as tax
  into v_sums from jsonb_array_elements(v_lines) l;
  select coalesce(sum(c.subtotal + c.tax), 0) as raw, coalesce(sum(c.total), 0) as total into v_before
  from public.credit_notes c where c.org_id = p_org_id and c.invoice_id = p_invoice_id;
  v_complete := not exists (
    select from public.invoice_lines l where l.org_id = p_org_id and l.invoice_id = p_invoice_id
      and l.quantity > coalesce((
        select sum(c.quantity) from public.credit_note_lines c
        where c.org_id = p_org_id and c.invoice_id = p_invoice_id and c.line_no = l.line_no), 0)
      + coalesce((
        select (a ->> 'quantity')::numeric from jsonb_array_elements(v_lines) a
          where (a ->> 'line_no')::integer = l.line_no), 0));
  v_total := case when v_complete then v_invoice.total
    else least(v_before.raw + v_sums.taxable + v_sums.tax, v_invoice.total) end - v_before.total;

  -- Two acts of one customer come after one another, before the counter is taken.
  perform private.lock_customer(p_org_id, v_invoice.customer_id);
  perform private.post_account(p_org_id, v_invoice.customer_id, v_invoice.branch_id, -v_total);
  if p_voids then
    v_applied := v_total;
    perform private.settle_invoice(p_org_id, p_invoice_id, -v_invoice.paid, v_invoice.total - v_invoice.credited, true);
  else
    v_applied := least(v_invoice.balance, v_total);
    if v_applied > 0 then
      perform private.settle_invoice(p_org_id, p_invoice_id, 0, v_applied);
    end if;
  end if;
  v_number := private.next_number(p_org_id, v_invoice.branch_id, 'credit_note', v_date);
  insert into public.credit_notes (org_id, id, branch_id, invoice_id, customer_id, goods_return_id, number, reason,
    voids,
    issued_at, business_date, currency, subtotal, discount, tax, round_off, total, created_by)
  values (p_org_id, p_id, v_invoice.branch_id, p_invoice_id, v_invoice.customer_id,
    coalesce(p_goods_return_id, case when v_moving is not null then p_id end), v_number, p_reason, p_voids, p_at,
      v_date,
    v_invoice.currency, v_sums.taxable, v_sums.discount, v_sums.tax, v_total - v_sums.taxable - v_sums.tax, v_total,
    private.caller());
  perform private.write_lines('public.credit_note_lines', jsonb_build_object('org_id', p_org_id, 'credit_note_id', p_id,
    'invoice_id', p_invoice_id, 'branch_id', v_invoice.branch_id), v_lines);
  perform private.hold_money(p_org_id, null, p_id, v_total);
  if v_applied > 0 then
    perform private.note_credit(p_org_id, p_id, p_invoice_id, v_applied);
  end if;
  perform private.invoice_credited(p_org_id, p_invoice_id, p_id);
  perform private.emit(p_org_id, 'credit_note.issued', jsonb_build_object('credit_note_id', p_id, 'invoice_id',
    p_invoice_id,
    'branch_id', v_invoice.branch_id, 'customer_id', v_invoice.customer_id, 'number', v_number, 'total', v_total));
  return v_total - v_applied;
end;
$$;

comment on function private.post_credit_note(uuid, uuid, uuid, jsonb, text, uuid, uuid, timestamptz, boolean) is
'Issues a credit note and applies it to the invoice''s balance; returns what is left of it. p_id was claimed.
p_goods_return_id: the goods came back before. p_voids: all of it is credited to the invoice, whose payments are taken
off; the caller does the rest of that. Errors: as public.issue_credit_note''s.';

create function private.refund_option(p_options jsonb, p_invoice public.invoices) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_refund jsonb := nullif(p_options -> 'refund', 'null');
  v_branch_id uuid;
  v_org_id uuid;
begin
  if v_refund is not null then
    if jsonb_typeof(v_refund) <> 'object' or v_refund - array['method', 'reference', 'branch_id'] <> '{}'
      or jsonb_typeof(v_refund -> 'reference') not in ('string', 'null') then
      perform private.fail(400, 'invalid_input', 'refund is {"method", "reference"?, "branch_id"?}.',
        '{"field": "refund"}');
    end if;
    v_branch_id := private.id_option(v_refund, 'branch_id');
    perform private.check_money(1, v_refund ->> 'method', v_refund ->> 'reference');
    -- A walk-in's credit has nobody to wait for: paying it back is part of crediting.
    if p_invoice.customer_id is not null then
      perform private.authorize('refund.create', p_invoice.org_id, p_invoice.branch_id);
    end if;
    if v_branch_id <> p_invoice.branch_id then
      -- Its till pays and numbers the voucher.
      v_org_id := private.authorize_branch(case when p_invoice.customer_id is null then 'credit_note.create'
        else 'refund.create' end,
        v_branch_id);
      if v_org_id <> p_invoice.org_id then
        perform private.fail(404, 'not_found', 'The house has no such branch.', '{"field": "branch_id"}');
      end if;
    end if;
  end if;
  return v_refund;
end;
$$;

comment on function private.refund_option(jsonb, public.invoices) is
'The option refund, {"method", "reference"?, "branch_id"?}: how what is left of a credit note is paid back at once, and
by which branch, else the invoice''s. Null without it. For a named customer it needs refund.create, at both branches;
for a walk-in what crediting needs. Errors: 400 invalid_input, 403 permission_denied, 404 not_found.';

create function private.refund_rest(p_org_id uuid, p_credit_note_id uuid, p_refund jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_note public.credit_notes;
  v_left numeric := private.credit_left(p_org_id, p_credit_note_id);
begin
  select * into v_note from public.credit_notes where org_id = p_org_id and id = p_credit_note_id;
  if v_left > 0 and p_refund is not null then
    perform private.pay_back(p_org_id, gen_random_uuid(), coalesce((p_refund ->> 'branch_id')::uuid, v_note.branch_id),
      v_note.customer_id, p_refund ->> 'method',
      jsonb_build_array(jsonb_build_object('payment_id', null, 'credit_note_id', p_credit_note_id, 'amount', v_left)),
      p_refund ->> 'reference', null, v_note.issued_at);
  elsif v_left > 0 and v_note.customer_id is null then
    perform private.fail(422, 'refund_required', 'Nobody''s name is on this invoice: pay the credit back at once.',
      jsonb_build_object('left', v_left));
  end if;
end;
$$;

comment on function private.refund_rest(uuid, uuid, jsonb) is
'Pays back what is left of a new credit note, if so asked; for a walk-in it must be. Errors: 422 refund_required.';

select private.declare_shape('issue_credit_note_options',
  '{"location_id": "uuid", "goods_return_id": "uuid", "refund": "any", "occurred_at": "instant"}',
  array['issue_credit_note.p_options']);

create function public.issue_credit_note(p_id uuid, p_invoice_id uuid, p_lines jsonb, p_reason text, p_options jsonb
  default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_invoice public.invoices := private.document_named(null::public.invoices, p_invoice_id);
  v_refund jsonb;
  v_at timestamptz;
begin
  perform private.authorize('credit_note.create', v_invoice.org_id, v_invoice.branch_id);
  perform private.check_shape('issue_credit_note_options', p_options);
  v_refund := private.refund_option(p_options, v_invoice);
  perform private.check_reason(p_reason);
  v_at := private.act_time(v_invoice.org_id, p_options);
  if private.claim_request(v_invoice.org_id, p_id, 'issue_credit_note',
    jsonb_build_array(p_invoice_id, p_lines, p_reason,
    p_options)) then
    perform private.post_credit_note(v_invoice.org_id, p_id, p_invoice_id, p_lines, p_reason,
      private.id_option(p_options, 'location_id'), private.id_option(p_options, 'goods_return_id'), v_at, false);
    perform private.refund_rest(v_invoice.org_id, p_id, v_refund);
  end if;
  return private.credit_note_json(v_invoice.org_id, p_id);
end;
$$;

comment on function public.issue_credit_note(uuid, uuid, jsonb, text, jsonb) is
'Credits an invoice, whole or in part, at the price, discount and tax as sold, and takes the goods back. p_id: the
client''s uuid, the credit note''s id. p_invoice_id. p_lines: [{"line_no" (of the invoice), "quantity" (in the line''s
unit), "disposition"? (restock, the default for goods; scrap; repair: to the branch''s quarantine; none: nothing comes
back, always so for services), "serials"? (of numbered pieces; known when all that is left comes back)}]; null:
everything left. p_reason: 1 to 500 characters. p_options: location_id (where goods come back to; else where they were
sold from), goods_return_id (they came back before, with return_goods), refund ({"method", "reference"?, "branch_id"?}:
what the invoice''s balance does not take is paid back at once, by that branch, else the invoice''s; a walk-in''s must
be), occurred_at (ISO 8601, needs sale.backdate). Without refund the rest is the customer''s credit. Returns the credit
note as JSON. CGST Act 2017, section 34(1). Errors: 400 invalid_input; 401; 403 permission_denied, backdating_denied;
404 not_found; 409 invoice_not_open, goods_return_credited, serial_in_stock, period_closed, id_reused, series_exhausted;
422 credit_exceeds_sale, return_exceeds_sale, serials_required, no_quarantine, refund_required. Permission:
credit_note.create; with refund for a named customer refund.create, too.';
revoke execute on function public.issue_credit_note(uuid, uuid, jsonb, text, jsonb) from public, anon;
grant execute on function public.issue_credit_note(uuid, uuid, jsonb, text, jsonb) to authenticated;

-- Using what is left ------------------------------------------------------------------------------

create function public.apply_credit_note(p_id uuid, p_credit_note_id uuid, p_allocations jsonb
  default null) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_note public.credit_notes := private.document_named(null::public.credit_notes, p_credit_note_id);
  v_left numeric;
  v_plan private.planned[];
  v_parts jsonb;
begin
  perform private.authorize('payment.record', v_note.org_id, v_note.branch_id);
  if private.claim_request(v_note.org_id, p_id, 'apply_credit_note',
    jsonb_build_array(p_credit_note_id, p_allocations)) then
    v_plan := array(select p from private.plan_allocations(v_note.org_id, v_note.customer_id, p_allocations) p);
    v_left := private.lock_credit(v_note.org_id, p_credit_note_id, v_note.customer_id, 'payment.record');
    perform private.assert_period_open(v_note.org_id, private.local_date(v_note.org_id, v_note.branch_id, now()));
    select coalesce(jsonb_agg(to_jsonb(s)), '[]') into v_parts
      from private.spread(v_note.org_id, v_left, v_plan, true) s;
    perform private.note_credit(v_note.org_id, p_credit_note_id, (s ->> 'invoice_id')::uuid, (s ->> 'amount')::numeric)
    from jsonb_array_elements(v_parts) s;
    perform private.emit(v_note.org_id, 'credit_note.applied',
      jsonb_build_object('credit_note_id', p_credit_note_id, 'branch_id',
      v_note.branch_id, 'customer_id', v_note.customer_id, 'allocations', v_parts));
  end if;
  return private.credit_note_json(v_note.org_id, p_credit_note_id);
end;
$$;

comment on function public.apply_credit_note(uuid, uuid, jsonb) is
'Settles other invoices of the customer with what is left of a credit note. p_id: the client''s uuid of this act.
p_credit_note_id. p_allocations: [{"invoice_id", "amount"}]; null: the customer''s open invoices, oldest due first.
Returns the credit note as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409
invoice_overpaid, invoice_not_open, period_closed, id_reused; 422 customer_mismatch, allocation_exceeds_payment.
Permission: payment.record at the credit note''s branch and at the invoices''.';
revoke execute on function public.apply_credit_note(uuid, uuid, jsonb) from public, anon;
grant execute on function public.apply_credit_note(uuid, uuid, jsonb) to authenticated;

-- Reading one -------------------------------------------------------------------------------------

create function private.credit_note_json(p_org_id uuid, p_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    with lines as (
      select coalesce(jsonb_agg(to_jsonb(l) - 'org_id' - 'credit_note_id' - 'invoice_id' - 'branch_id'
        order by l.line_no), '[]') as list
      from public.credit_note_lines l where l.org_id = p_org_id and l.credit_note_id = p_id
    )
    select jsonb_build_object(
      'id', c.id, 'org_id', c.org_id, 'branch_id', c.branch_id, 'customer_id', c.customer_id, 'title', 'Credit Note',
      'number', c.number, 'invoice', jsonb_build_object('id', i.id, 'number', i.number, 'date', i.business_date),
      'goods_return_id', c.goods_return_id, 'reason', c.reason, 'voids', c.voids, 'issued_at', c.issued_at,
      'business_date', c.business_date, 'timezone', b.timezone, 'currency', c.currency, 'tax_regime', i.tax_regime,
      'supply_type', i.supply_type, 'place_of_supply', jsonb_build_object('code', i.place_of_supply, 'name',
        i.place_of_supply_name),
      'reverse_charge', i.reverse_charge, 'seller', i.seller, 'buyer', i.buyer, 'subtotal', c.subtotal, 'discount',
        c.discount,
      'document_discount', (
        select coalesce(sum(x.document_discount), 0.00) from public.credit_note_lines x
        where x.org_id = c.org_id and x.credit_note_id = c.id),
      'tax', c.tax,
      'round_off', c.round_off, 'total', c.total, 'lines', l.list, 'tax_summary', private.tax_summary(l.list),
      'allocations', (
        select coalesce(jsonb_agg(jsonb_build_object('invoice_id', a.invoice_id, 'invoice_number', a.number, 'amount',
          a.amount)
          order by a.number), '[]')
        from (
          select t.invoice_id, x.number, sum(t.amount) as amount from public.credit_note_allocations t
          join public.invoices x on x.org_id = t.org_id and x.id = t.invoice_id
          where t.org_id = c.org_id and t.credit_note_id = c.id group by 1, 2 having sum(t.amount) <> 0) a),
      'refunds', (
        select coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'number', f.number, 'method', f.method, 'amount',
          s.amount,
          'refunded_at', f.refunded_at) order by f.refunded_at, f.id), '[]')
        from public.refund_sources s join public.refunds f on f.org_id = s.org_id and f.id = s.refund_id
        where s.org_id = c.org_id and s.credit_note_id = c.id),
      'left', private.credit_left(c.org_id, c.id))
    from public.credit_notes c
    join public.invoices i on i.org_id = c.org_id and i.id = c.invoice_id
    join public.branches b on b.org_id = c.org_id and b.id = c.branch_id
    cross join lines l
    where c.org_id = p_org_id and c.id = p_id);
end;
$$;

comment on function private.credit_note_json(uuid, uuid) is
'A credit note as clients and documents see it: header and lines as an invoice''s, the invoice it corrects, what it
settled, what was paid back, and what is left.';

create function public.get_credit_note(p_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_note public.credit_notes := private.document_named(null::public.credit_notes, p_id);
begin
  perform private.authorize('invoice.read', v_note.org_id, v_note.branch_id);
  return private.credit_note_json(v_note.org_id, p_id);
end;
$$;

comment on function public.get_credit_note(uuid) is
'One credit note, as issue_credit_note returns it. p_id: the credit note. Errors: 401, 403 permission_denied, 404
not_found. Permission: invoice.read.';
revoke execute on function public.get_credit_note(uuid) from public, anon;
grant execute on function public.get_credit_note(uuid) to authenticated;
