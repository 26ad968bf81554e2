-- The acts of loyalty: redeem on an invoice, correct by hand, read; policies and grants of its tables.

create function private.loyalty_json(p_org_id uuid, p_customer_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select jsonb_build_object('customer_id', p_customer_id, 'points', b.points,
      'value', trunc(b.points * p.point_value, 2), 'currency', o.currency, 'owed', (
        select coalesce(sum(w.points), 0) from private.points_owed w where w.org_id = p_org_id
          and w.customer_id = p_customer_id),
      'expiring', (
        select coalesce(jsonb_agg(jsonb_build_object('expires_at', l.expires_at, 'points', l.points)
          order by l.expires_at), '[]')
        from (
          select t.expires_at, sum(t.points) as points from private.points_held t
          where t.org_id = p_org_id and t.customer_id = p_customer_id and t.expires_at > now()
          group by 1 order by 1 limit 12) l))
    from public.organizations o
    cross join private.points_balance(p_org_id, p_customer_id) b (points)
    left join public.loyalty_programs p on p.org_id = o.id and p.archived_at is null
    where o.id = p_org_id);
end;
$$;

comment on function private.loyalty_json(uuid, uuid)
  is 'A customer''s points as loyalty_balance tells them. No errors.';

create function private.invoice_points(p_org_id uuid, p_invoice_id uuid, p_customer_id uuid,
  p_at timestamptz) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  if not exists (select from public.loyalty_programs p where p.org_id = p_org_id) then
    return null;
  end if;
  return (
    select jsonb_build_object('earned', i.earned, 'redeemed', i.redeemed, 'balance', coalesce(i.balance, (
      -- It moved no points: what he had then, less what expired since his last entry before it.
      select e.balance - coalesce(sum(x.points), 0)
      from (
        select t.balance, t.no, t.created_at from public.loyalty_entries t
        where t.org_id = p_org_id and t.customer_id = p_customer_id and t.created_at <= p_at
        order by t.created_at desc, t.no desc limit 1) e
      left join lateral (
        select l.points + coalesce((
          select sum(u.points) from public.loyalty_entries u
          where u.org_id = l.org_id and u.lot_id = l.id and u.no <= e.no), 0) as points
        from public.loyalty_entries l
        where l.org_id = p_org_id and l.customer_id = p_customer_id and l.expires_at > e.created_at
          and l.expires_at <= least(p_at, now()) and l.no <= e.no) x on true
      group by e.balance), 0))
    from (
      -- As it was then: an invoice that is printed again says the same.
      select coalesce(sum(e.points) filter (where e.kind in ('earn', 'reverse')), 0) as earned,
        coalesce(-sum(e.points) filter (where e.kind in ('redeem', 'return')), 0) as redeemed,
        (array_agg(e.balance order by e.no desc) filter (where e.kind in ('earn', 'redeem')))[1] as balance
      from public.loyalty_entries e where e.org_id = p_org_id and e.invoice_id = p_invoice_id) i);
end;
$$;

comment on function private.invoice_points(uuid, uuid, uuid, timestamptz) is
'The points of an invoice: {"earned" (less what was taken back), "redeemed" (less what came back), "balance" (of the
customer, once it had earned and redeemed)}; null where there is no program, or none that the caller may read.
p_customer_id: of the invoice; p_at: when it was written. No errors.';
grant execute on function private.invoice_points(uuid, uuid, uuid, timestamptz) to authenticated;

create function public.redeem_points(p_id uuid, p_invoice_id uuid, p_amount numeric) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_invoice public.invoices := private.document_named(null::public.invoices, p_invoice_id);
  v_org_id uuid := v_invoice.org_id;
  v_date date;
  v_points bigint;
  v_before numeric;
  v_agreement_id uuid;
begin
  perform private.authorize('payment.record', v_org_id, v_invoice.branch_id);
  perform private.check_money(p_amount, 'cash', null);
  if private.claim_request(v_org_id, p_id, 'redeem_points', jsonb_build_array(p_invoice_id, p_amount)) then
    select * into v_invoice from public.invoices where org_id = v_org_id and id = p_invoice_id for no key update;
    -- Of an instalment interest and fees come first: income of the agreement, which points do not pay.
    v_agreement_id := private.agreement_on(v_org_id, p_invoice_id);
    if v_agreement_id is not null then
      perform private.fail(409, 'agreement_exists',
        'This invoice is paid in instalments: points pay before they are agreed.',
        jsonb_build_object('invoice_id', p_invoice_id, 'agreement_id', v_agreement_id));
    end if;
    v_date := private.local_date(v_org_id, v_invoice.branch_id, now());
    perform private.assert_period_open(v_org_id, v_date);
    select coalesce(sum(case e.kind when 'redeem' then e.amount else -e.amount end), 0) into v_before
    from public.loyalty_entries e
    where e.org_id = v_org_id and e.invoice_id = p_invoice_id and e.kind in ('redeem', 'return');
    -- The share that points may pay is of the invoice, whatever the steps.
    v_points := private.check_points(v_org_id, v_invoice.customer_id, p_amount, v_invoice.total, v_before);
    perform private.take_points(v_org_id, v_invoice.customer_id, v_points, 'redeem', p_invoice_id, p_amount, null);
    perform private.post_account(v_org_id, v_invoice.customer_id, v_invoice.branch_id, -p_amount);
    perform private.settle_invoice(v_org_id, p_invoice_id, p_amount, 0);
    insert into public.payments (org_id, id, branch_id, customer_id, number, method, amount, tendered, received_at,
      business_date,
      created_by)
    values (v_org_id, p_id, v_invoice.branch_id, v_invoice.customer_id,
      private.next_number(v_org_id, v_invoice.branch_id, 'receipt', v_date), 'points', p_amount, p_amount, now(),
        v_date,
      private.caller());
    perform private.hold_money(v_org_id, p_id, null, p_amount);
    perform private.note_allocation(v_org_id, p_id, p_invoice_id, p_amount);
    perform private.emit(v_org_id, 'payment.received', jsonb_build_object('payment_id', p_id, 'branch_id',
      v_invoice.branch_id,
      'customer_id', v_invoice.customer_id, 'amount', p_amount, 'method', 'points', 'points', v_points, 'allocations',
      jsonb_build_array(jsonb_build_object('invoice_id', p_invoice_id, 'amount', p_amount))));
  end if;
  return private.payment_json(v_org_id, p_id);
end;
$$;

comment on function public.redeem_points(uuid, uuid, numeric) is
'Pays an open invoice of a customer with his points. At the till points are a payment of post_sale with the method
points. p_id: the client''s uuid, the payment''s id. p_invoice_id. p_amount: what points are to pay, in the
organisation''s currency; it takes amount / point_value points, rounded up to whole ones. While the invoice is paid in
instalments they pay nothing: of those interest and fees come first, and points pay prices. Returns the payment as JSON.
Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 invoice_overpaid, invoice_not_open,
agreement_exists, period_closed, id_reused, series_exhausted; 422 payment_needs_a_customer, points_limit,
points_insufficient. Permission: payment.record at the invoice''s branch.';
revoke execute on function public.redeem_points(uuid, uuid, numeric) from public, anon;
grant execute on function public.redeem_points(uuid, uuid, numeric) to authenticated;

create function public.adjust_points(p_id uuid, p_customer_id uuid, p_points bigint, p_reason text) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.org_of('public.customers', p_customer_id);
  v_balance bigint;
begin
  perform private.authorize('loyalty.manage', v_org_id);
  if p_points is null or p_points = 0 or abs(p_points) > 1000000000 then
    perform private.fail(400, 'invalid_input', 'p_points must be other than 0, at most 1,000,000,000.',
      '{"field": "p_points"}');
  end if;
  perform private.check_reason(p_reason);
  if private.claim_request(v_org_id, p_id, 'adjust_points', jsonb_build_array(p_customer_id, p_points, p_reason)) then
    perform private.lock_customer(v_org_id, p_customer_id);
    if p_points > 0 then
      perform private.give_points(v_org_id, p_customer_id, p_points, 'adjust', null, null, null, p_reason);
    else
      v_balance := private.points_balance(v_org_id, p_customer_id);
      if v_balance < -p_points then
        perform private.fail(422, 'points_insufficient', format('The customer has %s points.', v_balance),
          jsonb_build_object('balance', v_balance, 'points', -p_points));
      end if;
      perform private.take_points(v_org_id, p_customer_id, -p_points, 'adjust', null, null, p_reason);
    end if;
    perform private.emit(v_org_id, 'points.adjusted', jsonb_build_object('customer_id', p_customer_id, 'points',
      p_points, 'reason',
      p_reason));
  end if;
  return private.loyalty_json(v_org_id, p_customer_id);
end;
$$;

comment on function public.adjust_points(uuid, uuid, bigint, text) is
'Gives a customer points or takes some, by hand. p_id: the client''s uuid of this act. p_customer_id. p_points: how
many, below 0 to take. p_reason: 1 to 500 characters, kept. Returns as loyalty_balance. Errors: 400 invalid_input; 401;
403 permission_denied; 404 not_found; 409 id_reused; 422 points_insufficient. Permission: loyalty.manage.';
revoke execute on function public.adjust_points(uuid, uuid, bigint, text) from public, anon;
grant execute on function public.adjust_points(uuid, uuid, bigint, text) to authenticated;

create function public.loyalty_balance(p_customer_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.org_of('public.customers', p_customer_id);
begin
  perform private.authorize('customer.read', v_org_id);
  return private.loyalty_json(v_org_id, private.customer_account(v_org_id, p_customer_id));
end;
$$;

comment on function public.loyalty_balance(uuid) is
'What points a customer has. p_customer_id: also one who was merged. Returns {"customer_id", "points" (that can be
redeemed now), "value" (what they pay, in currency; null without a program), "currency", "owed" (points of goods that
came back when he had spent them: taken of the next he earns), "expiring": [{"expires_at", "points"}], the next twelve}.
Errors: 401, 403 permission_denied, 404 not_found. Permission: customer.read.';
revoke execute on function public.loyalty_balance(uuid) from public, anon;
grant execute on function public.loyalty_balance(uuid) to authenticated;

create function public.loyalty_statement(p_customer_id uuid, p_from timestamptz default '-infinity', p_to timestamptz
  default 'infinity')
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.org_of('public.customers', p_customer_id);
  v_customer_id uuid := private.customer_account(v_org_id, p_customer_id);
begin
  perform private.authorize('customer.read', v_org_id);
  return (
    -- From what he has now backwards, so that no more is read than what was asked for and what came after it.
    select jsonb_build_object('customer_id', v_customer_id, 'opening', b.points - coalesce(sum(e.points), 0),
      'entries', coalesce(jsonb_agg(jsonb_build_object('at', e.created_at, 'kind', e.kind, 'points', e.points,
        'expires_at', e.expires_at, 'invoice_id', e.invoice_id, 'number', e.number, 'amount', e.amount, 'reason',
        e.reason) order by e.no)
        filter (where (e.points <> 0 or e.kind = 'return') and e.created_at < p_to), '[]'),
      'closing', b.points - coalesce(sum(e.points) filter (where e.created_at >= p_to), 0))
    from (
      select coalesce(sum(t.points), 0) as points from private.points_balances t
      where t.org_id = v_org_id and t.customer_id = v_customer_id) b
    left join lateral (
      select t.*, i.number from public.loyalty_entries t
      left join lateral (
        select x.number from public.invoices x where x.org_id = t.org_id and x.id = t.invoice_id limit 1) i on true
      where t.org_id = v_org_id and t.customer_id = v_customer_id and t.created_at >= p_from) e on true
    group by b.points);
end;
$$;

comment on function public.loyalty_statement(uuid, timestamptz, timestamptz) is
'A customer''s points from p_from (inclusive) to p_to (exclusive): {"customer_id", "opening", "entries": [{"at", "kind",
"points", "expires_at", "invoice_id", "number", "amount", "reason"}], "closing"}; opening and the entries sum to
closing. Points that have expired count until the nightly job wrote them off. p_customer_id: also one who was merged.
Errors: 401, 403 permission_denied, 404 not_found. Permission: customer.read.';
revoke execute on function public.loyalty_statement(uuid, timestamptz, timestamptz) from public, anon;
grant execute on function public.loyalty_statement(uuid, timestamptz, timestamptz) to authenticated;

-- Policies ----------------------------------------------------------------------------------------

alter table public.loyalty_programs enable row level security;
create policy "Who holds customer.read reads the loyalty program" on public.loyalty_programs for select to authenticated
  using (org_id = any (array(select private.orgs_with('customer.read'))));
create policy "Who holds loyalty.manage adds the loyalty program" on public.loyalty_programs for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('loyalty.manage'))));
create policy "Who holds loyalty.manage changes the loyalty program" on public.loyalty_programs for update
  to authenticated
  using (org_id = any (array(select private.orgs_with('loyalty.manage'))))
  with check (org_id = any (array(select private.orgs_with('loyalty.manage'))));

alter table public.loyalty_rules enable row level security;
create policy "Who holds customer.read reads loyalty rules" on public.loyalty_rules for select to authenticated
  using (org_id = any (array(select private.orgs_with('customer.read'))));
create policy "Who holds loyalty.manage adds loyalty rules" on public.loyalty_rules for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('loyalty.manage'))));
create policy "Who holds loyalty.manage changes loyalty rules" on public.loyalty_rules for update to authenticated
  using (org_id = any (array(select private.orgs_with('loyalty.manage'))))
  with check (org_id = any (array(select private.orgs_with('loyalty.manage'))));

alter table public.loyalty_entries enable row level security;
create policy "Who holds customer.read reads points" on public.loyalty_entries for select to authenticated
  using (org_id = any (array(select private.orgs_with('customer.read'))));

-- Grants ------------------------------------------------------------------------------------------

grant select on public.loyalty_programs, public.loyalty_rules, public.loyalty_entries to authenticated;
grant insert (org_id, point_value, minimum_points, max_share_percent, expiry_months) on public.loyalty_programs
  to authenticated;
grant update (point_value, minimum_points, max_share_percent, expiry_months, archived_at) on public.loyalty_programs
  to authenticated;
grant insert (id, org_id, name, points_per_unit, category_id, customer_group_id, priority) on public.loyalty_rules
  to authenticated;
grant update (name, points_per_unit, category_id, customer_group_id, priority, archived_at) on public.loyalty_rules
  to authenticated;

create function private.tell_points(p_org_id uuid, p_invoice_id uuid, p_customer_id uuid,
  p_at timestamptz) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return jsonb_build_object('points', case when p_customer_id is not null
    then private.invoice_points(p_org_id, p_invoice_id, p_customer_id, p_at) end);
end;
$$;

comment on function private.tell_points(uuid, uuid, uuid, timestamptz) is
'The points of an invoice as a key of its JSON; null without a customer. Parameters as private.invoice_points''. No
errors.';
grant execute on function private.tell_points(uuid, uuid, uuid, timestamptz) to authenticated;

select private.react('invoice_extras', 10, 'tell_points');
