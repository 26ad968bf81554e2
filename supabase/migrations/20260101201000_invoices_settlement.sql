-- Settlement: what counts of what was handed over, and what a customer may owe.

create function private.check_money(p_amount numeric, p_method text, p_reference text) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  if p_amount is null or not p_amount between 0.01 and 1e11 or p_amount <> round(p_amount, 2) then
    perform private.fail(400, 'invalid_input', 'p_amount must be above 0, with 2 decimals at most.',
      '{"field": "p_amount"}');
  elsif not exists (select from public.payment_methods where code = p_method and is_money) then
    perform private.fail(400, 'invalid_input', 'p_method must be a payment method that is money.',
      '{"field": "p_method"}');
  elsif length(p_reference) > 100 then
    perform private.fail(400, 'invalid_input', 'A reference has at most 100 characters.', '{"field": "reference"}');
  end if;
end;
$$;

comment on function private.check_money(numeric, text, text) is
'Is this an amount, a known method that is money and a reference? An amount of null or NaN is none. Errors: 400
invalid_input.';

create type private.tender as (
  id uuid,
  method text,
  method_name text,
  amount numeric,
  tendered numeric,
  reference text
);

comment on type private.tender is
'A payment as a counter sale keeps it. id: new; amount: what counts; tendered: what was handed over; both in the sale''s
currency.';

create function private.refuse_payment(p_place integer) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.fail(400, 'invalid_input', format('Payment %s needs a known method and an amount above 0.', p_place),
    jsonb_build_object('field', 'p_payments', 'payment', p_place));
end;
$$;

comment on function private.refuse_payment(integer) is 'Errors: 400 invalid_input with the payment''s place, from 1.';

create function private.settle(p_payments jsonb, p_total numeric) returns private.tender[]
language plpgsql
set search_path = ''
as $$
declare
  v_pay jsonb;
  v_count integer;
  v_method public.payment_methods;
  v_methods public.payment_methods[] := array[]::public.payment_methods[];
  v_handed numeric[] := array[]::numeric[];
  v_sum numeric := 0;
  v_from_cash numeric := 0;
  v_change numeric;
  v_left numeric;
  v_only_change numeric := 0;
  v_ids uuid[];
  v_tender private.tender;
  v_tenders private.tender[] := array[]::private.tender[];
begin
  if p_payments is null or jsonb_typeof(p_payments) <> 'array' or jsonb_array_length(p_payments) > 20 then
    perform private.fail(400, 'invalid_input', 'p_payments must be a JSON array of at most 20 payments.',
      '{"field": "p_payments"}');
  end if;
  v_count := jsonb_array_length(p_payments);
  v_ids := array[gen_random_uuid()];
  if v_count > 1 then
    -- In their own order, which is the one that documents list payments in.
    v_ids := array(select gen_random_uuid() from generate_series(1, v_count) order by 1);
  end if;
  for i in 1 .. v_count loop
    v_pay := p_payments -> (i - 1);
    if jsonb_typeof(v_pay) <> 'object' then
      perform private.refuse_payment(i);
    end if;
    select * into v_method from public.payment_methods where code = v_pay ->> 'method';
    if v_method.code is null or v_pay - array['method', 'amount', 'reference'] <> '{}'
      or not private.is_amount(v_pay -> 'amount')
      or (v_pay -> 'amount')::numeric not between 0.01 and 1e11 or length(v_pay ->> 'reference') > 100
      or jsonb_typeof(v_pay -> 'reference') not in ('string', 'null') then
      perform private.refuse_payment(i);
    end if;
    v_methods := v_methods || v_method;
    v_handed := v_handed || (v_pay -> 'amount')::numeric(14, 2);
    v_sum := v_sum + v_handed[i];
    if v_method.gives_change then
      v_from_cash := v_from_cash + v_handed[i];
    end if;
  end loop;
  v_change := v_sum - p_total;
  if v_change >= 1e11 then
    perform private.fail(400, 'invalid_input', 'The payments are too large.', '{"field": "p_payments"}');
  end if;
  if v_change > 0 and v_change >= v_from_cash then
    perform private.fail(422, 'payment_exceeds_total', 'More was paid than is due, and only cash gives change.',
      jsonb_build_object('total', p_total, 'excess', v_change));
  end if;

  -- The change comes out of the cash, the last handed over first; cash that only made change is no payment, but was
  -- handed over with the cash before it.
  v_left := greatest(v_change, 0);
  for i in reverse v_count .. 1 loop
    v_tender.amount := v_handed[i];
    v_tender.tendered := v_handed[i];
    if v_methods[i].gives_change then
      v_tender.amount := greatest(v_handed[i] - v_left, 0);
      v_tender.tendered := v_handed[i] + v_only_change;
      v_left := v_left - (v_handed[i] - v_tender.amount);
      v_only_change := case when v_tender.amount = 0 then v_tender.tendered else 0 end;
      continue when v_tender.amount = 0;
    end if;
    v_tender.id := v_ids[i];
    v_tender.method := v_methods[i].code;
    v_tender.method_name := v_methods[i].name;
    v_tender.reference := p_payments -> (i - 1) ->> 'reference';
    v_tenders := v_tender || v_tenders;
  end loop;
  return v_tenders;
end;
$$;

comment on function private.settle(jsonb, numeric) is
'What counts of what was handed over, in the order in which it was. p_payments: [{"method", "amount", "reference"?}];
p_total: due, in the document''s currency. tendered - amount of each is the change. Errors: 400 invalid_input, 422
payment_exceeds_total.';

create function private.check_credit(p_org_id uuid, p_customer_id uuid, p_balance numeric, p_used numeric
  default 0) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_limit numeric;
  v_status text;
  v_owed numeric;
  v_ordered numeric;
  v_held numeric;
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
  v_ordered := private.credit_promised(p_org_id, p_customer_id);
  if v_owed + v_ordered + p_balance > v_limit then
    -- What he has paid already covers it, too; looked up only here, where it matters, and all of it at one instant:
    -- somebody may be settling the one with the other.
    select coalesce(sum(balance), 0), private.credit_promised(p_org_id, p_customer_id),
      private.credit_held(p_org_id, p_customer_id) - p_used
    into v_owed, v_ordered, v_held
    from public.invoices where org_id = p_org_id and customer_id = p_customer_id and balance > 0;
    if v_owed + v_ordered + p_balance - v_held > v_limit then
      perform private.fail(422, 'credit_limit_exceeded', 'This would go beyond the customer''s credit limit.',
        jsonb_build_object('credit_limit', v_limit, 'owed', v_owed, 'ordered', v_ordered, 'asked', p_balance, 'held',
          v_held));
    end if;
  end if;
end;
$$;

comment on function private.check_credit(uuid, uuid, numeric, numeric) is
'May this customer owe p_balance more (in the organisation''s currency), beside his invoices and his open orders, less
what the house holds for him? p_used: what of that this very act uses, and has not written yet. Locks the customer until
the transaction ends. A customer in default may only with the caller''s permission credit.override. Errors: 422
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
    perform private.fail(409, 'invoice_overpaid', format('Of invoice %s, %s are still open.', v_invoice.number,
      v_invoice.balance),
      jsonb_build_object('invoice_id', p_invoice_id, 'number', v_invoice.number, 'balance', v_invoice.balance,
        'excess', v_settled - v_invoice.total));
  elsif p_void and (v_invoice.paid + p_paid <> 0 or v_invoice.credited + p_credited not in (0, v_invoice.total)) then
    perform private.fail(409, 'invoice_has_payments', format('Something was paid or credited on invoice %s.',
      v_invoice.number),
      jsonb_build_object('invoice_id', p_invoice_id, 'number', v_invoice.number, 'paid', v_invoice.paid, 'credited',
        v_invoice.credited));
  end if;
  v_status := case when p_void then 'void' when v_settled = v_invoice.total then 'paid' when v_settled > 0
    then 'partially_paid'
    else 'sent' end;
  update public.invoices
  set paid = paid + p_paid, credited = credited + p_credited, status = v_status,
    reopened_at = case when v_invoice.status = 'paid' and v_status not in ('paid', 'void') then now() else reopened_at
      end
  where org_id = p_org_id and id = p_invoice_id;
  if v_status = 'paid' and v_invoice.status <> 'paid' then
    perform private.invoice_paid(p_org_id, p_invoice_id);
  elsif v_invoice.status = 'paid' and v_status <> 'paid' then
    perform private.invoice_unpaid(p_org_id, p_invoice_id);
  end if;
  if p_void or p_credited <> 0 then
    perform private.invoice_reduced(p_org_id, p_invoice_id, p_void);
  end if;
end;
$$;

comment on function private.settle_invoice(uuid, uuid, numeric, numeric, boolean) is
'The one way in which paid, credited and status of an issued invoice change. p_paid, p_credited: by how much, in the
invoice''s currency; negative takes back. p_void: it becomes void thereby. Locks the invoice; the caller writes the
allocations. Tells private.invoice_paid when the invoice becomes paid and private.invoice_unpaid when it is no longer.
Errors: 404 not_found, 409 invoice_not_open, 409 invoice_overpaid, 409 invoice_has_payments (only with p_void).';
