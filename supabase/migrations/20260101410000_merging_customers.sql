-- Customers who were entered twice become one. Every reference moves; what is printed on a document stays.

select private.add_permissions('[
  {"code": "customer.merge", "description": "Merge customers that were entered twice", "roles": []}
]');

-- No document for who was merged ------------------------------------------------------------------

create function private.refuse_merged() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  v_merged_into uuid;
begin
  -- The lock is the one that the foreign key takes next. A merge under way is waited for, and then seen.
  select merged_into into v_merged_into from public.customers where org_id = new.org_id
    and id = new.customer_id for key share;
  if v_merged_into is not null then
    perform private.fail(409, 'customer_merged', 'This customer was entered twice and is another one now.',
      jsonb_build_object('customer_id', new.customer_id, 'merged_into', v_merged_into));
  end if;
  return new;
end;
$$;

comment on function private.refuse_merged() is
'Row trigger, before a row names a customer: nobody is sold to under a name that was merged, also not by a sale that
began before the merge and ends after it. Errors: 409 customer_merged with merged_into.';

create function private.customer_tables() returns setof regclass
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select c.conrelid::regclass from pg_catalog.pg_constraint c
  join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attname = 'customer_id' and a.attnum = any (c.conkey)
  where c.contype = 'f' and c.confrelid = 'public.customers'::regclass
  order by c.conrelid::regclass::text;
end;
$$;

comment on function private.customer_tables() is
'The tables whose rows belong to a customer: those with a foreign key (org_id, customer_id). No errors.';

create function private.follow_customers() returns void
language plpgsql
set search_path = ''
as $$
declare
  v_table regclass;
begin
  for v_table in
    select t from private.customer_tables() t
    where not exists (select from pg_catalog.pg_trigger g where g.tgrelid = t and g.tgname = 't20_refuse_merged')
  loop
    execute format('create trigger t20_refuse_merged before insert or update of customer_id on %s for each row
      when (new.customer_id is not null) execute function private.refuse_merged()', v_table);
  end loop;
end;
$$;

comment on function private.follow_customers() is
'Gives each table of customers'' rows the trigger that private.refuse_merged is. For migrations: called by every one
that adds such a table after this one. No errors.';

select private.follow_customers();

-- Terms of payment --------------------------------------------------------------------------------

create function private.set_due_date() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.due_date := new.business_date + (
    select c.payment_terms_days from public.customers c where c.org_id = new.org_id and c.id = new.customer_id);
  return new;
end;
$$;

comment on function private.set_due_date() is
'Row trigger, when an invoice that is not paid at once is issued without a due date: so many days after its business
date as the customer''s terms say, none when they say nothing.';

create trigger t30_set_due_date before insert on public.invoices for each row
  when (new.due_date is null and new.customer_id is not null and new.status in ('sent', 'partially_paid'))
  execute function private.set_due_date();
create trigger t30_set_due_date_of_draft before update of status on public.invoices for each row
  when (old.status = 'draft' and new.status = 'sent' and new.due_date is null and new.customer_id is not null)
  execute function private.set_due_date();

-- The merge ---------------------------------------------------------------------------------------

create function private.move_customer(p_org_id uuid, p_keep_id uuid, p_merge_id uuid) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_table regclass;
  v_count bigint;
  v_moved jsonb := jsonb_build_object();
begin
  for v_table in select t from private.customer_tables() t loop
    -- Documents come before the customer, and here they come after him: so nobody is waited for.
    execute format('select count(*) from (
        select from %s where org_id = $1 and customer_id = $2 for no key update nowait) t', v_table)
      into v_count using p_org_id, p_merge_id;
    if v_count > 0 then
      execute format('update %s set customer_id = $3 where org_id = $1 and customer_id = $2', v_table)
        using p_org_id, p_merge_id, p_keep_id;
      v_moved := v_moved || jsonb_build_object((select relname from pg_catalog.pg_class where oid = v_table), v_count);
    end if;
  end loop;
  return v_moved;
exception when lock_not_available then
  perform private.fail(409, 'changed_meanwhile',
    'Somebody works on this customer''s documents at this moment: try again.',
    jsonb_build_object('customer_id', p_merge_id));
  return null;
end;
$$;

comment on function private.move_customer(uuid, uuid, uuid) is
'Makes every row of p_merge_id, who is locked and marked as merged, one of p_keep_id; returns {"<table>": how many}. The
log keeps whose each was. Errors: 409 changed_meanwhile.';

create function public.merge_customers(p_id uuid, p_keep_id uuid, p_merge_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.org_of('public.customers', p_keep_id);
  v_keep public.customers;
  v_merge public.customers;
  v_other public.customers;
  v_registers boolean;
  v_moves boolean;
  v_moved jsonb;
begin
  perform private.authorize('customer.merge', v_org_id);
  if not exists (select from public.customers where org_id = v_org_id and id = p_merge_id) then
    perform private.fail(404, 'not_found', 'There is no such customer.', '{"field": "p_merge_id"}');
  elsif p_keep_id = p_merge_id then
    perform private.fail(400, 'invalid_input', 'Name two customers.', '{"field": "p_merge_id"}');
  end if;
  if private.claim_request(v_org_id, p_id, 'merge_customers', jsonb_build_array(p_keep_id, p_merge_id)) then
    -- Waits for the sales under way to either; those that come later wait here, and are told.
    perform from public.customers where org_id = v_org_id and id in (p_keep_id, p_merge_id) order by id for update;
    select * into v_keep from public.customers where org_id = v_org_id and id = p_keep_id;
    select * into v_merge from public.customers where org_id = v_org_id and id = p_merge_id;
    if coalesce(v_keep.merged_into, v_merge.merged_into) is not null then
      perform private.fail(409, 'customer_merged', 'This customer was entered twice and is another one now.',
        jsonb_build_object(
        'customer_id', case when v_keep.merged_into is not null then p_keep_id else p_merge_id end,
        'merged_into', coalesce(v_keep.merged_into, v_merge.merged_into)));
    elsif v_keep.tax_number <> v_merge.tax_number then
      perform private.fail(422, 'tax_numbers_differ', 'They are registered for tax with different numbers.',
        jsonb_build_object('keep', v_keep.tax_number, 'merge', v_merge.tax_number));
    end if;
    perform private.customers_merging(v_org_id, p_keep_id, p_merge_id);
    update public.customers set merged_into = p_keep_id, archived_at = coalesce(archived_at, now())
    where org_id = v_org_id and id = p_merge_id;
    update public.customers set merged_into = p_keep_id where org_id = v_org_id and merged_into = p_merge_id;
    v_moved := private.move_customer(v_org_id, p_keep_id, p_merge_id);
    perform private.customers_merged(v_org_id, p_keep_id, p_merge_id);
    -- What only the other entry knew is kept. A registration moves with all that tax asks of it, and stays in the state
    -- of its address; an address comes whole, or stands apart.
    v_registers := v_keep.tax_number is null and v_merge.tax_number is not null;
    v_moves := num_nonnulls(v_keep.country, v_keep.address_line1, v_keep.city) = 0
      or (v_registers and ((v_keep.country, v_keep.region_code) is distinct from (v_merge.country, v_merge.region_code)
        or (length(btrim(coalesce(v_keep.address_line1, ''))) = 0 and length(btrim(v_merge.address_line1)) > 0)));
    if v_moves then
      v_other := v_keep;
      update public.customers set tax_number = v_merge.tax_number, tax_area = v_merge.tax_area,
        address_line1 = v_merge.address_line1,
        address_line2 = v_merge.address_line2, city = v_merge.city, region_code = v_merge.region_code,
        postal_code = case when v_keep.country is null then coalesce(v_keep.postal_code, v_merge.postal_code)
          else v_merge.postal_code end,
        country = v_merge.country
      where org_id = v_org_id and id = p_keep_id;
    else
      v_other := v_merge;
    end if;
    if v_registers then
      update public.customers set tax_number = v_merge.tax_number, kind = v_merge.kind,
        tax_treatment = v_merge.tax_treatment,
        tax_area = coalesce(tax_area, v_merge.tax_area)
      where org_id = v_org_id and id = p_keep_id;
    end if;
    insert into public.customer_addresses (org_id, customer_id, kind, address_line1, address_line2, city, region_code,
      postal_code, country)
    select v_org_id, p_keep_id, 'billing', v_other.address_line1, v_other.address_line2, v_other.city,
      v_other.region_code,
      v_other.postal_code, v_other.country
    from public.customers c
    where c.org_id = v_org_id and c.id = p_keep_id and length(btrim(v_other.address_line1)) > 0
      and (v_other.address_line1, v_other.postal_code) is distinct from (c.address_line1, c.postal_code);
    update public.customers set phone = coalesce(phone, v_merge.phone), email = coalesce(email, v_merge.email),
      notes = coalesce(notes, v_merge.notes),
      payment_terms_days = coalesce(payment_terms_days, v_merge.payment_terms_days)
    where org_id = v_org_id and id = p_keep_id;
    perform private.emit(v_org_id, 'customer.merged', jsonb_build_object('customer_id', p_keep_id, 'merged_id',
      p_merge_id,
      'moved', v_moved));
  end if;
  return (
    select to_jsonb(c) || jsonb_build_object('merged', (
      select jsonb_agg(m.id order by m.id) from public.customers m where m.org_id = c.org_id and m.merged_into = c.id))
    from public.customers c where c.org_id = v_org_id and c.id = private.customer_account(v_org_id, p_keep_id));
end;
$$;

comment on function public.merge_customers(uuid, uuid, uuid) is
'Makes one of two entries of the same customer. p_id: the client''s uuid of this act. p_keep_id: who stays; p_merge_id:
whose documents, payments, credit and addresses become his, and who is archived for good, merged_into the other.
Documents keep the buyer as printed; the credit limit that stays is that of p_keep_id. What the entry that stays lacks
(address, phone, email, notes, terms) comes from the other; the customer group does not. If only the other is registered
for tax, its number comes with kind, treatment and area, and with its address where that is in another state; the
address that was there goes on as a further one. Returns the customer as JSON, with merged, all that are one with him.
Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 customer_merged (one of them was merged
before), changed_meanwhile (somebody works on his documents: try again), id_reused; 422 tax_numbers_differ. Permission:
customer.merge.';
revoke execute on function public.merge_customers(uuid, uuid, uuid) from public, anon;
grant execute on function public.merge_customers(uuid, uuid, uuid) to authenticated;
