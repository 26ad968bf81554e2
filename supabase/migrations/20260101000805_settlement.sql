-- Settlement: what counts of what was handed over, and what a customer may owe.

create function private.is_amount(p_value jsonb) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  return case when jsonb_typeof(p_value) = 'number' then p_value::numeric between 0 and 999999999999
    and p_value::numeric = round(p_value::numeric, 2) else false end;
end;
$$;

comment on function private.is_amount(jsonb) is 'Is this JSON a number of 0 or more, with at most 2 decimals? No errors.';

create function private.settle(p_payments jsonb, p_total numeric)
returns table (place integer, method text, amount numeric, tendered numeric, reference text)
language plpgsql stable
set search_path = ''
as $$
declare
  v_bad bigint;
  v_change numeric;
  v_from_cash numeric;
begin
  if p_payments is null or jsonb_typeof(p_payments) <> 'array' or jsonb_array_length(p_payments) > 20 then
    perform private.fail(400, 'invalid_input', 'p_payments must be a JSON array of at most 20 payments.',
      '{"field": "p_payments"}');
  end if;
  select t.no into v_bad from jsonb_array_elements(p_payments) with ordinality t (pay, no)
  where case when jsonb_typeof(t.pay) <> 'object' then true
    else t.pay - array['method', 'amount', 'reference'] <> '{}' or not private.is_amount(t.pay -> 'amount')
      or (t.pay -> 'amount')::numeric not between 0.01 and 1e11 or length(t.pay ->> 'reference') > 100
      or jsonb_typeof(t.pay -> 'reference') not in ('string', 'null')
      or not exists (select from public.payment_methods m where m.code = t.pay ->> 'method') end
  order by t.no limit 1;
  if v_bad is not null then
    perform private.fail(400, 'invalid_input', format('Payment %s needs a known method and an amount above 0.', v_bad),
      jsonb_build_object('field', 'p_payments', 'payment', v_bad));
  end if;

  select coalesce(sum((pay ->> 'amount')::numeric), 0) - p_total,
    coalesce(sum((pay ->> 'amount')::numeric) filter (where m.gives_change), 0)
  into v_change, v_from_cash
  from jsonb_array_elements(p_payments) pay join public.payment_methods m on m.code = pay ->> 'method';
  if v_change >= 1e11 then
    perform private.fail(400, 'invalid_input', 'The payments are too large.', '{"field": "p_payments"}');
  end if;
  if v_change > 0 and v_change >= v_from_cash then
    perform private.fail(422, 'payment_exceeds_total', 'More was paid than is due, and only cash gives change.',
      jsonb_build_object('total', p_total, 'excess', v_change));
  end if;

  -- The change comes out of the cash, the last handed over first; cash that only made change is no payment.
  return query
  with paid as (
    select t.no::integer as no, t.pay ->> 'method' as method, (t.pay ->> 'amount')::numeric(14, 2) as handed,
      t.pay ->> 'reference' as reference,
      case when m.gives_change then coalesce(sum((t.pay ->> 'amount')::numeric) filter (where m.gives_change)
        over (order by t.no desc rows between unbounded preceding and 1 preceding), 0) end as cash_after
    from jsonb_array_elements(p_payments) with ordinality t (pay, no)
    join public.payment_methods m on m.code = t.pay ->> 'method'
  ), net as (
    select p.*, p.handed - case when p.cash_after is null then 0
      else least(p.handed, greatest(v_change - p.cash_after, 0)) end as kept
    from paid p
  )
  select n.no, n.method, n.kept::numeric(14, 2),
    (n.handed + case when n.no = (select max(k.no) from net k where k.kept > 0 and k.cash_after is not null)
      then (select coalesce(sum(z.handed), 0) from net z where z.kept = 0) else 0 end)::numeric(14, 2),
    n.reference
  from net n where n.kept > 0 order by n.no;
end;
$$;

comment on function private.settle(jsonb, numeric) is
'What counts of what was handed over. p_payments: [{"method", "amount", "reference"?}]; p_total: due, in the document''s
currency. Returns a row per payment; tendered - amount is the change. Errors: 400 invalid_input, 422 payment_exceeds_total.';

create function private.check_credit(p_org_id uuid, p_customer_id uuid, p_balance numeric) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_limit numeric;
  v_status text;
  v_owed numeric;
  v_ordered numeric;
begin
  if p_customer_id is null then
    perform private.fail(422, 'payment_incomplete', 'A sale without a customer is paid in full.',
      jsonb_build_object('missing', p_balance));
  end if;
  -- Two sales on the same credit wait for one another here.
  select credit_limit, credit_status into v_limit, v_status from public.customers
  where org_id = p_org_id and id = p_customer_id for no key update;
  if v_status = 'defaulted' and not private.permitted('credit.override', p_org_id) then
    perform private.fail(422, 'customer_defaulted', 'The customer is in default: no new credit.',
      jsonb_build_object('customer_id', p_customer_id, 'permission', 'credit.override'));
  end if;
  select coalesce(sum(balance), 0) into v_owed from public.invoices
  where org_id = p_org_id and customer_id = p_customer_id and balance > 0;
  v_ordered := private.ordered_on_credit(p_org_id, p_customer_id);
  if v_owed + v_ordered + p_balance > v_limit then
    perform private.fail(422, 'credit_limit_exceeded', 'This would go beyond the customer''s credit limit.',
      jsonb_build_object('credit_limit', v_limit, 'owed', v_owed, 'ordered', v_ordered, 'asked', p_balance));
  end if;
end;
$$;

comment on function private.check_credit(uuid, uuid, numeric) is
'May this customer owe p_balance more (in the organisation''s currency), beside his invoices and his open orders? Locks the
customer until the transaction ends. A customer in default may only with the caller''s permission credit.override. Errors: 422
payment_incomplete (no customer), customer_defaulted, credit_limit_exceeded.';

-- What is paid on an invoice ------------------------------------------------------------------------

create function private.settle_invoice(p_org_id uuid, p_invoice_id uuid, p_paid numeric, p_credited numeric,
  p_void boolean default false)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_invoice public.invoices;
  v_settled numeric;
  v_status text;
begin
  select * into v_invoice from public.invoices where org_id = p_org_id and id = p_invoice_id for no key update;
  if v_invoice.id is null then
    perform private.fail(404, 'not_found', 'There is no such invoice.', jsonb_build_object('invoice_id', p_invoice_id));
  elsif v_invoice.status in ('draft', 'void') then
    perform private.fail(409, 'invoice_not_open', 'Nothing is paid or credited on a draft or a void invoice.',
      jsonb_build_object('invoice_id', p_invoice_id, 'number', v_invoice.number, 'status', v_invoice.status));
  end if;
  v_settled := v_invoice.paid + p_paid + v_invoice.credited + p_credited;
  if v_settled > v_invoice.total then
    perform private.fail(409, 'invoice_overpaid', format('Of invoice %s, %s are still open.', v_invoice.number, v_invoice.balance),
      jsonb_build_object('invoice_id', p_invoice_id, 'number', v_invoice.number, 'balance', v_invoice.balance,
        'excess', v_settled - v_invoice.total));
  elsif p_void and (v_invoice.paid + p_paid <> 0 or v_invoice.credited + p_credited not in (0, v_invoice.total)) then
    perform private.fail(409, 'invoice_has_payments', format('Something was paid or credited on invoice %s.', v_invoice.number),
      jsonb_build_object('invoice_id', p_invoice_id, 'number', v_invoice.number, 'paid', v_invoice.paid, 'credited',
        v_invoice.credited));
  end if;
  v_status := case when p_void then 'void' when v_settled = v_invoice.total then 'paid' when v_settled > 0 then 'partially_paid'
    else 'sent' end;
  update public.invoices
  set paid = paid + p_paid, credited = credited + p_credited, status = v_status,
    reopened_at = case when v_invoice.status = 'paid' and v_status not in ('paid', 'void') then now() else reopened_at end
  where org_id = p_org_id and id = p_invoice_id;
  if v_status = 'paid' and v_invoice.status <> 'paid' then
    perform private.invoice_paid(p_org_id, p_invoice_id);
  elsif v_invoice.status = 'paid' and v_status <> 'paid' then
    perform private.invoice_unpaid(p_org_id, p_invoice_id);
  end if;
  -- What is paid on instalments is written by whoever takes the payment; what is credited or voided the agreement follows here.
  if p_void or p_credited <> 0 then
    perform private.agreement_follows(p_org_id, p_invoice_id, p_void);
  end if;
end;
$$;

comment on function private.settle_invoice(uuid, uuid, numeric, numeric, boolean) is
'The one way in which paid, credited and status of an issued invoice change. p_paid, p_credited: by how much, in the invoice''s
currency; negative takes back. p_void: it becomes void thereby. Locks the invoice; the caller writes the allocations. Tells
private.invoice_paid when the invoice becomes paid and private.invoice_unpaid when it is no longer.
Errors: 404 not_found, 409 invoice_not_open, 409 invoice_overpaid, 409 invoice_has_payments (only with p_void).';
