-- Coupons: codes that open a promotion, so many times in all and for each customer.

-- Tables ------------------------------------------------------------------------------------------

create table public.coupons (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  promotion_id uuid not null,
  code text not null check (code ~ '^[A-Za-z0-9_-]{3,40}$'),
  max_uses integer check (max_uses > 0),
  max_uses_per_customer integer check (max_uses_per_customer > 0),
  valid_from date,
  valid_to date,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, org_id),
  foreign key (org_id, promotion_id) references public.promotions (org_id, id),
  check (valid_from <= valid_to)
);

comment on table public.coupons is
'Codes of a promotion that needs a coupon, in whatever capitals. max_uses: in all; max_uses_per_customer: for each, who
must be named then; null for no limit. valid_from, valid_to: business dates, both inclusive. A promotion has any number
of codes.';

create table public.coupon_uses (
  org_id uuid not null,
  coupon_id uuid not null,
  document_id uuid not null generated always as (coalesce(invoice_id, order_id)) stored,
  invoice_id uuid,
  order_id uuid,
  entry integer not null check (entry in (1, 2)),
  branch_id uuid not null,
  customer_id uuid,
  uses integer not null check (uses = case entry when 1 then 1 else -1 end),
  amount numeric(14, 2) not null check (amount > 0),
  created_at timestamptz not null default now(),
  created_by uuid not null,
  request_id text default private.request_id(),
  primary key (org_id, coupon_id, document_id, entry),
  check (num_nonnulls(invoice_id, order_id) = 1),
  foreign key (org_id, coupon_id) references public.coupons (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id),
  foreign key (org_id, invoice_id) references public.invoices (org_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id)
);

comment on table public.coupon_uses is
'Which sale used which coupon, append-only: entry 1 is the use; entry 2 gives it back, when the whole sale was credited
or voided, or the order was cancelled. uses sums to how often a coupon was used. invoice_id, or order_id of an order,
whose invoices use nothing more; document_id: whichever it is. amount: what it took off, in the document''s currency.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.coupons (org_id, code, id);
create unique index coupons_code_key on public.coupons (org_id, upper(code));
create index on public.coupons (promotion_id, org_id);
create index on public.coupon_uses (org_id, created_at desc, coupon_id desc, document_id desc, entry desc);
create index on public.coupon_uses (org_id, invoice_id);
create index on public.coupon_uses (order_id, org_id) where order_id is not null;
create index on public.coupon_uses (customer_id, coupon_id) where customer_id is not null;

-- Functions ---------------------------------------------------------------------------------------

create function private.coupon_for(p_org_id uuid, p_code text, p_customer_id uuid, p_date date, p_lock boolean)
returns public.coupons
language plpgsql
set search_path = ''
as $$
declare
  v_coupon public.coupons;
  v_used bigint;
  v_reason text;
begin
  -- Two sales with the same code come after one another from here on, and the second counts the first one's use.
  if p_lock then
    perform from public.coupons c where c.org_id = p_org_id and upper(c.code) = upper(btrim(p_code)) for no key update;
  end if;
  select * into v_coupon from public.coupons c where c.org_id = p_org_id and upper(c.code) = upper(btrim(p_code));
  if v_coupon.id is null then
    perform private.fail(404, 'not_found', 'There is no such coupon.', '{"field": "coupon"}');
  end if;
  v_reason := case
    when v_coupon.archived_at is not null or exists (
      select from public.promotions p where p.org_id = p_org_id and p.id = v_coupon.promotion_id and p.archived_at
        is not null)
      then 'withdrawn'
    when p_date < v_coupon.valid_from then 'not_yet_valid'
    when p_date > v_coupon.valid_to then 'expired'
    when v_coupon.max_uses_per_customer is not null and p_customer_id is null then 'customer_needed' end;
  if v_reason is not null then
    perform private.fail(422, 'coupon_invalid', 'This coupon does not count for this sale.',
      jsonb_build_object('coupon', v_coupon.code, 'reason', v_reason, 'valid_from', v_coupon.valid_from, 'valid_to',
        v_coupon.valid_to));
  end if;
  if v_coupon.max_uses is not null then
    select coalesce(sum(u.uses), 0) into v_used from public.coupon_uses u where u.org_id = p_org_id
      and u.coupon_id = v_coupon.id;
    if v_used >= v_coupon.max_uses then
      perform private.fail(422, 'coupon_used_up', 'This coupon was used as often as it may be.',
        jsonb_build_object('coupon', v_coupon.code, 'limit', v_coupon.max_uses, 'used', v_used, 'per_customer', false));
    end if;
  end if;
  if v_coupon.max_uses_per_customer is not null then
    select coalesce(sum(u.uses), 0) into v_used from public.coupon_uses u
    where u.org_id = p_org_id and u.coupon_id = v_coupon.id and u.customer_id = p_customer_id;
    if v_used >= v_coupon.max_uses_per_customer then
      perform private.fail(422, 'coupon_used_up', 'This customer used this coupon as often as he may.',
        jsonb_build_object('coupon', v_coupon.code, 'limit', v_coupon.max_uses_per_customer, 'used', v_used,
          'per_customer', true));
    end if;
  end if;
  return v_coupon;
end;
$$;

comment on function private.coupon_for(uuid, text, uuid, date, boolean) is
'The coupon of a code, if it counts for this customer (or null) on this business date. p_lock: lock it first, before
stock levels, until the transaction ends. Errors: 404 not_found, 422 coupon_invalid (reason: withdrawn, not_yet_valid,
expired, customer_needed), coupon_used_up.';

create function private.lock_coupon(p_org_id uuid, p_code text, p_customer_id uuid, p_date date,
  p_lines jsonb) returns uuid
language plpgsql
set search_path = ''
as $$
begin
  -- Where a better offer took the coupon's place it is not used.
  if not exists (
    select from jsonb_array_elements(p_lines) l, jsonb_array_elements(l -> 'offers') o where o ->> 'coupon'
      is not null) then
    return null;
  end if;
  return (private.coupon_for(p_org_id, p_code, p_customer_id, p_date, true)).id;
end;
$$;

comment on function private.lock_coupon(uuid, text, uuid, date, jsonb) is
'Locks the coupon that a sale uses and checks its limits again beneath the lock; null when the sale''s lines (p_lines)
got nothing by it. Errors: as private.coupon_for.';

create function private.note_coupon(p_org_id uuid, p_coupon_id uuid, p_invoice_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.coupon_uses (org_id, coupon_id, invoice_id, entry, branch_id, customer_id, uses, amount,
    created_by)
  select p_org_id, p_coupon_id, i.id, 1, i.branch_id, i.customer_id, 1, (
      select sum((o ->> 'amount')::numeric) from public.invoice_lines l, jsonb_array_elements(l.offers) o
      where l.org_id = i.org_id and l.invoice_id = i.id and o ->> 'coupon' is not null), private.caller()
  from public.invoices i where i.org_id = p_org_id and i.id = p_invoice_id;
end;
$$;

comment on function private.note_coupon(uuid, uuid, uuid) is
'Writes that a sale used a coupon, whose lock the caller holds. No errors.';

create function private.coupon_of(p_lines jsonb) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return jsonb_path_query_first(p_lines, '$[*].offers[*].coupon') #>> '{}';
end;
$$;

comment on function private.coupon_of(jsonb)
  is 'The code that gave something off priced lines, null for none. No errors.';

create function private.give_coupon_back(p_org_id uuid, p_invoice_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Needs no lock on the coupon: a use fewer breaks no limit, and the invoice is locked.
  insert into public.coupon_uses (org_id, coupon_id, invoice_id, entry, branch_id, customer_id, uses, amount,
    created_by)
  select u.org_id, u.coupon_id, u.invoice_id, 2, u.branch_id, u.customer_id, -1, u.amount, private.caller()
  from public.coupon_uses u
  where u.org_id = p_org_id and u.invoice_id = p_invoice_id and u.entry = 1
    and (exists (select from public.invoices i where i.org_id = p_org_id and i.id = p_invoice_id and i.status = 'void')
      or not exists (
      select from public.invoice_lines l where l.org_id = p_org_id and l.invoice_id = p_invoice_id
        and l.quantity > coalesce((
          select sum(c.quantity) from public.credit_note_lines c
          where c.org_id = l.org_id and c.invoice_id = l.invoice_id and c.line_no = l.line_no), 0)))
  on conflict do nothing;
end;
$$;

comment on function private.give_coupon_back(uuid, uuid) is
'Gives the use of a coupon back once its sale is void or all of it was credited; of a sale that was credited in part it
stays used. No errors.';

-- Triggers ----------------------------------------------------------------------------------------

create trigger t90_touch_updated_at before update on public.coupons for each row
  execute function private.touch_updated_at();
create trigger t10_refuse_change before update or delete on public.coupon_uses for each row
  execute function audit.refuse_change();
create trigger t10_refuse_change_truncate before truncate on public.coupon_uses for each statement
  execute function audit.refuse_change();
select audit.attach('public.coupons');
select audit.attach('public.coupon_uses', 'coupon_id', 'document_id', 'entry');

-- Policies ----------------------------------------------------------------------------------------

alter table public.coupons enable row level security;
create policy "Who holds offer.manage reads coupons" on public.coupons for select to authenticated
  using (org_id = any (array(select private.orgs_with('offer.manage'))));
create policy "Who holds offer.manage adds coupons" on public.coupons for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('offer.manage'))));
create policy "Who holds offer.manage changes coupons" on public.coupons for update to authenticated
  using (org_id = any (array(select private.orgs_with('offer.manage'))))
  with check (org_id = any (array(select private.orgs_with('offer.manage'))));

alter table public.coupon_uses enable row level security;
create policy "Who holds invoice.read reads coupon uses of his branches" on public.coupon_uses for select
  to authenticated
  using (org_id = any (array(select private.orgs_with('invoice.read')))
    and case when (select private.covers_all_with('invoice.read')) then true
      when org_id = any (array(select private.whole_orgs_with('invoice.read'))) then true
      else branch_id = any (array(select private.listed_branches_with('invoice.read'))) end);

-- Grants ------------------------------------------------------------------------------------------

grant select on public.coupons, public.coupon_uses to authenticated;
grant insert (id, org_id, promotion_id, code, max_uses, max_uses_per_customer, valid_from, valid_to) on public.coupons
  to authenticated;
grant update (max_uses, max_uses_per_customer, valid_from, valid_to, archived_at) on public.coupons to authenticated;

select private.react('invoice_credited', 20, 'give_coupon_back');
select private.react('invoice_voided', 10, 'give_coupon_back');
