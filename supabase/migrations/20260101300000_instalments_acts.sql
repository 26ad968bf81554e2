-- The acts of sales on credit: open, pay, settle early, reschedule, waive.

select private.add_permissions('[
  {"code": "report.read", "description": "Read the reports of sales, balances and taxes",
   "roles": ["sales_executive"]}
]');

create function private.lock_agreement(p_agreement public.credit_agreements) returns public.credit_agreements
language plpgsql
set search_path = ''
as $$
declare
  v_agreement public.credit_agreements;
begin
  perform from public.invoices where org_id = p_agreement.org_id and id = p_agreement.invoice_id for no key update;
  select * into v_agreement from public.credit_agreements where org_id = p_agreement.org_id and id = p_agreement.id;
  if v_agreement.status not in ('active', 'defaulted') then
    perform private.fail(409, 'agreement_closed', format('Agreement %s is %s.', v_agreement.number, v_agreement.status),
      jsonb_build_object('agreement_id', v_agreement.id, 'status', v_agreement.status));
  end if;
  return v_agreement;
end;
$$;

comment on function private.lock_agreement(public.credit_agreements) is
'Locks an agreement, which is to lock its invoice, and returns it as it is then. Errors: 409 agreement_closed.';

create function private.write_agreement(p_id uuid, p_invoice public.invoices, p_terms jsonb, p_today date,
  p_carried numeric,
  p_replaces_id uuid, p_reason text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_number text;
begin
  -- The customer, then the counter.
  perform private.lock_customer(p_invoice.org_id, p_invoice.customer_id);
  v_number := private.next_number(p_invoice.org_id, p_invoice.branch_id, 'credit_agreement', p_today);
  insert into public.credit_agreements (org_id, id, branch_id, customer_id, invoice_id, replaces_id, number, status,
    currency,
    financed, terms, opened_on, reason, created_by)
  values (p_invoice.org_id, p_id, p_invoice.branch_id, p_invoice.customer_id, p_invoice.id, p_replaces_id, v_number,
    'active',
    p_invoice.currency, p_invoice.balance, p_terms, p_today, p_reason, private.caller());
  insert into public.instalments (org_id, agreement_id, no, branch_id, due_on, status, principal, interest, fee)
  select p_invoice.org_id, p_id, s.no, p_invoice.branch_id, s.due_on, 'pending', s.principal, s.interest,
    s.fee + case when s.no = 1 then p_carried else 0 end
  from private.credit_schedule(p_invoice.balance, p_terms) s;
  insert into public.credit_charges (org_id, agreement_id, no, branch_id, component, kind, amount, charged_on,
    created_by)
  select i.org_id, i.agreement_id, i.no, i.branch_id, c.component, c.kind, c.amount, p_today, private.caller()
  from public.instalments i
  cross join lateral (values ('principal', 'schedule', i.principal), ('interest', 'schedule', i.interest),
    ('fee', 'schedule', i.fee - case when i.no = 1 then p_carried else 0 end),
    ('fee', 'carried', case when i.no = 1 then p_carried else 0 end)) c (component, kind, amount)
  where i.org_id = p_invoice.org_id and i.agreement_id = p_id and c.amount <> 0;
  perform private.follow_credit_status(p_invoice.org_id, p_invoice.customer_id);
end;
$$;

comment on function private.write_agreement(uuid, public.invoices, jsonb, date, numeric, uuid, text) is
'Writes an agreement over the balance of an invoice, which is locked, with its schedule and number. p_carried: charges
of the agreement that it replaces, due with the first instalment. The caller has found the books open on p_today, before
he locked the customer. Errors: 400 invalid_input, 409 series_exhausted.';

create function public.open_credit_sale(p_id uuid, p_invoice_id uuid, p_terms jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_invoice public.invoices := private.document_named(null::public.invoices, p_invoice_id);
  v_org_id uuid := v_invoice.org_id;
  v_today date;
  v_terms jsonb;
begin
  perform private.authorize_branch('credit.sell', v_invoice.branch_id);
  if private.claim_request(v_org_id, p_id, 'open_credit_sale', jsonb_build_array(p_invoice_id, p_terms)) then
    select * into v_invoice from public.invoices where org_id = v_org_id and id = p_invoice_id for no key update;
    v_today := private.credit_today(v_org_id, v_invoice.branch_id);
    v_terms := private.check_terms(p_terms, v_today);
    if v_invoice.balance <= 0 then
      perform private.fail(409, 'invoice_not_open', 'Nothing is open on this invoice.',
        jsonb_build_object('invoice_id', p_invoice_id, 'status', v_invoice.status));
    elsif v_invoice.customer_id is null then
      perform private.fail(422, 'payment_incomplete', 'Instalments are for customers with a name.',
        jsonb_build_object('missing', v_invoice.balance));
    elsif private.agreement_on(v_org_id, p_invoice_id) is not null then
      perform private.fail(409, 'agreement_exists', 'This invoice is paid in instalments already.',
        jsonb_build_object('invoice_id', p_invoice_id, 'agreement_id', private.agreement_on(v_org_id, p_invoice_id)));
    elsif v_invoice.paid + v_invoice.credited < (v_terms ->> 'deposit')::numeric then
      perform private.fail(422, 'deposit_missing', 'The deposit was not paid yet.', jsonb_build_object('deposit',
        v_terms -> 'deposit', 'paid', v_invoice.paid + v_invoice.credited));
    end if;
    perform private.assert_period_open(v_org_id, v_today);
    -- What is financed is owed already: nothing is added to the debt, which must be within the limit.
    perform private.check_credit(v_org_id, v_invoice.customer_id, 0);
    perform private.write_agreement(p_id, v_invoice, v_terms, v_today, 0, null, null);
    perform private.emit(v_org_id, 'credit_agreement.opened',
      jsonb_build_object('agreement_id', p_id, 'invoice_id', p_invoice_id,
      'branch_id', v_invoice.branch_id, 'customer_id', v_invoice.customer_id, 'financed', v_invoice.balance));
  end if;
  return private.agreement_json(v_org_id, p_id);
end;
$$;

comment on function public.open_credit_sale(uuid, uuid, jsonb) is
'Agrees that what is open of an invoice is paid in instalments. p_id: the client''s uuid, the agreement''s id.
p_invoice_id: issued, of a named customer, the deposit paid. p_terms: {"deposit": amount that must be paid by now,
"count": 1 to 120, "interval": "week", "fortnight" or "month", "first_due_on": ISO date, today at the earliest, a year
ahead at most, "interest": {"kind": "none", "flat" or "reducing", "annual_percent": 0 to 100}, "fees": [{"name",
"amount"}] (due with the first instalment), "grace_days", "late_fee" (amount, once per instalment, after the days of
grace), "default_after_days" (after a due date), "remind_days_before"}; count and first_due_on are needed, amounts in
the invoice''s currency. The schedule is private.credit_schedule''s. The customer''s debt must be within his credit
limit. Returns the agreement as JSON, as get_agreement does. Errors: 400 invalid_input; 401; 403 permission_denied; 404
not_found; 409 invoice_not_open, agreement_exists, period_closed, id_reused, series_exhausted; 422 branch_archived,
deposit_missing, payment_incomplete, credit_limit_exceeded, customer_defaulted. Permission: credit.sell.';
revoke execute on function public.open_credit_sale(uuid, uuid, jsonb) from public, anon;
grant execute on function public.open_credit_sale(uuid, uuid, jsonb) to authenticated;

select private.declare_shape('pay_agreement_options',
  '{"branch_id": "uuid", "occurred_at": "instant", "note": "text"}',
  array['pay_agreement.p_options']);

create function public.pay_agreement(p_id uuid, p_agreement_id uuid, p_amount numeric, p_method text, p_reference text
  default null,
  p_options jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_agreement public.credit_agreements := private.document_named(null::public.credit_agreements, p_agreement_id);
  v_payment jsonb;
begin
  perform private.authorize('payment.record', v_agreement.org_id, v_agreement.branch_id);
  perform private.check_shape('pay_agreement_options', p_options);
  perform private.check_money(p_amount, p_method, p_reference);
  -- Locked before record_payment claims the id: the same call sent twice waits here, and then finds it claimed.
  perform from public.invoices where org_id = v_agreement.org_id and id = v_agreement.invoice_id for no key update;
  if not exists (select from public.payments where org_id = v_agreement.org_id and id = p_id) then
    perform private.lock_agreement(v_agreement);
  end if;
  v_payment := public.record_payment(p_id, v_agreement.customer_id, p_amount, p_method,
    jsonb_build_array(jsonb_build_object(
    'invoice_id', v_agreement.invoice_id, 'amount', p_amount)), p_reference, p_options);
  return private.agreement_json(v_agreement.org_id, p_agreement_id) || jsonb_build_object('payment', v_payment);
end;
$$;

comment on function public.pay_agreement(uuid, uuid, numeric, text, text, jsonb) is
'Takes a payment for instalments: the oldest first, within each late fees, fees, interest, principal. What is more than
is due by now prepays the next instalments whole; more than all of them is refused. Principal settles the invoice;
interest and fees are charges of the agreement. p_id: the client''s uuid, the payment''s id. p_agreement_id. p_amount:
in the agreement''s currency. p_method, p_reference: as in record_payment. p_options: branch_id (which takes it; else
the agreement''s), occurred_at (ISO 8601, needs sale.backdate), note. Returns the agreement as JSON with payment. An
agreement that was in default is active again when nothing is overdue. Errors: 400 invalid_input; 401; 403
permission_denied, backdating_denied; 404 not_found; 409 agreement_closed, period_closed, id_reused, series_exhausted;
422 agreement_overpaid, branch_archived. Permission: payment.record.';
revoke execute on function public.pay_agreement(uuid, uuid, numeric, text, text, jsonb) from public, anon;
grant execute on function public.pay_agreement(uuid, uuid, numeric, text, text, jsonb) to authenticated;

-- Settling early ----------------------------------------------------------------------------------

create function private.early_rebates(p_org_id uuid, p_agreement_id uuid, p_date date)
  returns table (no integer, rebate numeric)
language plpgsql stable
set search_path = ''
as $$
declare
  v_agreement public.credit_agreements;
begin
  select * into v_agreement from public.credit_agreements where org_id = p_org_id and id = p_agreement_id;
  if v_agreement.terms -> 'interest' ->> 'kind' <> 'reducing' then
    return;
  end if;
  return query
  with earned as (
    select i.no, i.interest, greatest(i.interest_paid, round(i.interest - f.ahead, 2)) as owed
    from private.interest_ahead(p_org_id, p_agreement_id, p_date) f
    join public.instalments i on i.org_id = p_org_id and i.agreement_id = p_agreement_id and i.no = f.no
      and i.status <> 'closed'
  )
  select e.no, e.interest - e.owed from earned e where e.interest > e.owed order by e.no;
end;
$$;

comment on function private.early_rebates(uuid, uuid, date) is
'The interest of each instalment that is not owed when everything is paid on p_date. reducing: of instalments due later
all, of the one whose interval is under way the part for the days left; what was prepaid stays. flat: nothing, the
charge is for the whole term (waive_charge lets it off). No errors.';

create function private.settlement_amount(p_org_id uuid, p_agreement_id uuid, p_date date) returns numeric
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select coalesce(sum(i.outstanding), 0) from public.instalments i where i.org_id = p_org_id
      and i.agreement_id = p_agreement_id)
    - coalesce((select sum(r.rebate) from private.early_rebates(p_org_id, p_agreement_id, p_date) r), 0);
end;
$$;

comment on function private.settlement_amount(uuid, uuid, date) is
'What pays an agreement off on p_date, in its currency: everything outstanding less private.early_rebates. No errors.';

select private.declare_shape('settle_early_options',
  '{"branch_id": "uuid", "note": "text"}',
  array['settle_early.p_options']);

create function public.settle_early(p_id uuid, p_agreement_id uuid, p_amount numeric, p_method text,
  p_reference text default null, p_options jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_agreement public.credit_agreements := private.document_named(null::public.credit_agreements, p_agreement_id);
  v_org_id uuid := v_agreement.org_id;
  v_payment_id uuid := gen_random_uuid();
  v_today date;
  v_amount numeric;
begin
  perform private.authorize('payment.record', v_org_id, v_agreement.branch_id);
  perform private.check_shape('settle_early_options', p_options);
  perform private.check_money(p_amount, p_method, p_reference);
  if private.claim_request(v_org_id, p_id, 'settle_early',
    jsonb_build_array(p_agreement_id, p_amount, p_method, p_reference,
    p_options)) then
    perform private.lock_agreement(v_agreement);
    v_today := private.credit_today(v_org_id, v_agreement.branch_id);
    v_amount := private.settlement_amount(v_org_id, p_agreement_id, v_today);
    if p_amount <> v_amount then
      perform private.fail(409, 'settlement_changed', format('Today %s settle this agreement.', v_amount),
        jsonb_build_object('agreement_id', p_agreement_id, 'amount', v_amount, 'asked', p_amount));
    end if;
    perform private.charge(v_org_id, p_agreement_id, r.no, 'interest', 'rebate', -r.rebate, v_today, v_payment_id)
    from private.early_rebates(v_org_id, p_agreement_id, v_today) r;
    perform public.record_payment(v_payment_id, v_agreement.customer_id, p_amount, p_method, jsonb_build_array(
      jsonb_build_object('invoice_id', v_agreement.invoice_id, 'amount', p_amount)), p_reference, p_options);
  end if;
  return private.agreement_json(v_org_id, p_agreement_id);
end;
$$;

comment on function public.settle_early(uuid, uuid, numeric, text, text, jsonb) is
'Pays an agreement off before its time. p_id: the client''s uuid of this act. p_agreement_id. p_amount: exactly the
settlement_amount that get_agreement shows today: with reducing interest none for the time not used, with flat interest
all of it. p_method, p_reference: as in record_payment. p_options: branch_id (which takes it; else the agreement''s),
note. Returns the agreement as JSON, completed. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found;
409 settlement_changed, agreement_closed, period_closed, id_reused, series_exhausted; 422 branch_archived. Permission:
payment.record.';
revoke execute on function public.settle_early(uuid, uuid, numeric, text, text, jsonb) from public, anon;
grant execute on function public.settle_early(uuid, uuid, numeric, text, text, jsonb) to authenticated;

-- Changing what was agreed ------------------------------------------------------------------------

create function public.reschedule(p_id uuid, p_agreement_id uuid, p_terms jsonb, p_reason text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_agreement public.credit_agreements := private.document_named(null::public.credit_agreements, p_agreement_id);
  v_org_id uuid := v_agreement.org_id;
  v_invoice public.invoices;
  v_today date;
  v_terms jsonb;
  v_carried numeric;
begin
  perform private.authorize('credit.override', v_org_id, v_agreement.branch_id);
  perform private.check_reason(p_reason);
  if private.claim_request(v_org_id, p_id, 'reschedule', jsonb_build_array(p_agreement_id, p_terms, p_reason)) then
    perform private.lock_agreement(v_agreement);
    select * into v_invoice from public.invoices where org_id = v_org_id and id = v_agreement.invoice_id;
    v_today := private.credit_today(v_org_id, v_agreement.branch_id);
    v_terms := private.check_terms(p_terms, v_today);
    if (v_terms ->> 'deposit')::numeric <> 0 then
      perform private.fail(400, 'invalid_input', 'What is rescheduled has no deposit: take a payment first.',
        '{"field": "deposit"}');
    elsif v_invoice.balance = 0 then
      perform private.fail(409, 'invoice_not_open', 'Nothing is open on the invoice; charges are paid or waived.',
        jsonb_build_object('invoice_id', v_invoice.id, 'status', v_invoice.status));
    end if;
    perform private.assert_period_open(v_org_id, v_today);
    -- What was earned so far goes along; interest for the time to come begins anew.
    v_carried := private.settlement_amount(v_org_id, p_agreement_id, v_today) - v_invoice.balance;
    perform private.drop_charges(v_org_id, p_agreement_id, 'rescheduled', v_today, p_reason);
    update public.instalments set status = 'closed' where org_id = v_org_id and agreement_id = p_agreement_id;
    update public.credit_agreements set status = 'rescheduled' where org_id = v_org_id and id = p_agreement_id;
    perform private.write_agreement(p_id, v_invoice, v_terms, v_today, v_carried, p_agreement_id, p_reason);
    perform private.emit(v_org_id, 'credit_agreement.rescheduled',
      jsonb_build_object('agreement_id', p_id, 'replaces_id',
      p_agreement_id, 'branch_id', v_agreement.branch_id, 'customer_id', v_agreement.customer_id, 'financed',
        v_invoice.balance,
      'carried', v_carried));
  end if;
  return private.agreement_json(v_org_id, p_id);
end;
$$;

comment on function public.reschedule(uuid, uuid, jsonb, text) is
'Replaces an agreement by another over what is still open; the old one is kept with its schedule. p_id: the client''s
uuid, the new agreement''s id. p_agreement_id: the old one, active or defaulted. p_terms: as open_credit_sale takes
them, without a deposit. p_reason: 1 to 500 characters, kept. Late fees, fees and interest that are owed by now (as
settle_early counts them) are due with the first new instalment. Whoever may call this approves it by calling. Returns
the new agreement as JSON. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 agreement_closed,
invoice_not_open, period_closed, id_reused, series_exhausted. Permission: credit.override.';
revoke execute on function public.reschedule(uuid, uuid, jsonb, text) from public, anon;
grant execute on function public.reschedule(uuid, uuid, jsonb, text) to authenticated;

create function public.waive_charge(p_id uuid, p_agreement_id uuid, p_no integer, p_component text, p_amount numeric,
  p_reason text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_agreement public.credit_agreements := private.document_named(null::public.credit_agreements, p_agreement_id);
  v_org_id uuid := v_agreement.org_id;
  v_open numeric;
  v_today date;
begin
  perform private.authorize('credit.override', v_org_id, v_agreement.branch_id);
  perform private.check_reason(p_reason);
  if coalesce(p_component, '') not in ('late_fee', 'fee', 'interest') then
    perform private.fail(400, 'invalid_input', 'Late fees, fees and interest are waived.', '{"field": "p_component"}');
  elsif p_amount is null or not p_amount between 0.01 and 1e11 or p_amount <> round(p_amount, 2) then
    perform private.fail(400, 'invalid_input', 'p_amount must be above 0, with 2 decimals at most.',
      '{"field": "p_amount"}');
  end if;
  if private.claim_request(v_org_id, p_id, 'waive_charge',
    jsonb_build_array(p_agreement_id, p_no, p_component, p_amount, p_reason))
  then
    perform private.lock_agreement(v_agreement);
    v_today := private.credit_today(v_org_id, v_agreement.branch_id);
    select case p_component when 'late_fee' then i.late_fee - i.late_fee_paid when 'fee' then i.fee - i.fee_paid
      else i.interest - i.interest_paid end
    into v_open from public.instalments i where i.org_id = v_org_id and i.agreement_id = p_agreement_id and i.no = p_no;
    if v_open is null then
      perform private.fail(404, 'not_found', 'The agreement has no such instalment.', '{"field": "p_no"}');
    elsif p_amount > v_open then
      perform private.fail(422, 'waiver_exceeds_charge', format('Only %s are open of it.', v_open),
        jsonb_build_object('open', v_open, 'asked', p_amount));
    end if;
    perform private.assert_period_open(v_org_id, v_today);
    perform private.charge(v_org_id, p_agreement_id, p_no, p_component, 'waiver', -p_amount, v_today, null, p_reason);
    perform private.refresh_agreement(v_org_id, p_agreement_id);
    perform private.follow_credit_status(v_org_id, v_agreement.customer_id);
    perform private.emit(v_org_id, 'credit_agreement.waived',
      jsonb_build_object('agreement_id', p_agreement_id, 'branch_id',
      v_agreement.branch_id, 'customer_id', v_agreement.customer_id, 'no', p_no, 'component', p_component, 'amount',
        p_amount));
  end if;
  return private.agreement_json(v_org_id, p_agreement_id);
end;
$$;

comment on function public.waive_charge(uuid, uuid, integer, text, numeric, text) is
'Lets a customer off a charge that is not paid yet. p_id: the client''s uuid of this act. p_agreement_id; p_no: the
instalment. p_component: late_fee, fee or interest. p_amount: in the agreement''s currency, at most what is open of it.
p_reason: 1 to 500 characters, kept. Returns the agreement as JSON. Errors: 400 invalid_input; 401; 403
permission_denied; 404 not_found; 409 agreement_closed, period_closed, id_reused; 422 waiver_exceeds_charge. Permission:
credit.override.';
revoke execute on function public.waive_charge(uuid, uuid, integer, text, numeric, text) from public, anon;
grant execute on function public.waive_charge(uuid, uuid, integer, text, numeric, text) to authenticated;
