-- What the house holds: how much of each payment and credit note settles nothing yet, kept beside its entries.

-- Tables ------------------------------------------------------------------------------------------

create table private.money_held (
  org_id uuid not null,
  source uuid not null generated always as (coalesce(payment_id, credit_note_id)) stored,
  payment_id uuid,
  credit_note_id uuid,
  customer_id uuid,
  amount numeric(14, 2) not null check (amount >= 0),
  primary key (org_id, source),
  foreign key (org_id, payment_id) references public.payments (org_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id),
  check (num_nonnulls(payment_id, credit_note_id) = 1)
);

comment on table private.money_held is
'How much of a payment or a credit note settles nothing yet, in the organisation''s currency; no row: nothing. So what
a customer has is read from what is open, however many payments he made. Changed by private.hold_money alone, beneath
the payment''s or the credit note''s lock; private.held_findings proves it. customer_id: the document''s.';

-- Customer first, as in other tables: of two indexes that begin alike a kept plan may take the wrong one.
create index on private.money_held (customer_id, org_id) where customer_id is not null;

alter table private.money_held enable row level security;

-- The one way in which it changes -----------------------------------------------------------------

create function private.hold_money(p_org_id uuid, p_payment_id uuid, p_credit_note_id uuid, p_amount numeric)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_source uuid := coalesce(p_payment_id, p_credit_note_id);
  v_left numeric;
begin
  if p_amount = 0 then
    return;
  end if;
  update private.money_held set amount = amount + p_amount where org_id = p_org_id and source = v_source
  returning amount into v_left;
  if v_left = 0 then
    delete from private.money_held where org_id = p_org_id and source = v_source;
  elsif v_left is null then
    insert into private.money_held (org_id, payment_id, credit_note_id, customer_id, amount)
    select p_org_id, p.id, null, p.customer_id, p_amount from public.payments p
    where p.org_id = p_org_id and p.id = p_payment_id
    union all
    select p_org_id, null, c.id, c.customer_id, p_amount from public.credit_notes c
    where c.org_id = p_org_id and c.id = p_credit_note_id;
  end if;
end;
$$;

comment on function private.hold_money(uuid, uuid, uuid, numeric) is
'The one way in which private.money_held changes: whoever writes a payment, a credit note, or an entry that uses of one
or gives back, says here by how much more (negative: less) settles nothing. p_payment_id or p_credit_note_id: which,
written and locked by the caller; p_amount: in the organisation''s currency. A payment that is written with what it
settles, as the till''s are, holds nothing and needs no call. Errors: 23514 when more is used than is left.';

-- What is left of it --------------------------------------------------------------------------------

create function private.unallocated(p_org_id uuid, p_payment_id uuid) returns numeric
language plpgsql stable
set search_path = ''
as $$
begin
  return coalesce((
    select h.amount from private.money_held h where h.org_id = p_org_id and h.source = p_payment_id), 0.00);
end;
$$;

comment on function private.unallocated(uuid, uuid) is
'How much of a payment settles nothing yet: its amount less allocations, refunds and charges of instalments; nothing
of a reversed one. No errors.';

create function private.credit_left(p_org_id uuid, p_credit_note_id uuid) returns numeric
language plpgsql stable
set search_path = ''
as $$
begin
  return coalesce((
    select h.amount from private.money_held h where h.org_id = p_org_id and h.source = p_credit_note_id), 0.00);
end;
$$;

comment on function private.credit_left(uuid, uuid) is
'How much of a credit note was neither applied to an invoice nor paid out. No errors.';
