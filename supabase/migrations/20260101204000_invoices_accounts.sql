-- Accounts: what each customer owes by each branch's documents, kept beside them, so that a statement begins without
-- all that came before it.

-- Tables ------------------------------------------------------------------------------------------

create table private.accounts (
  org_id uuid not null,
  customer_id uuid not null,
  branch_id uuid not null,
  balance numeric(14, 2) not null,
  primary key (org_id, customer_id, branch_id),
  foreign key (org_id, customer_id) references public.customers (org_id, id),
  foreign key (org_id, branch_id) references public.branches (org_id, id)
);

comment on table private.accounts is
'What a customer owes by a branch''s documents, in the organisation''s currency, below 0 what the house owes him:
invoices, payments that did not stand, refunds and charges of instalments less payments and credit notes, as
private.account_entries lists them. Changed by private.post_account, and by private.merge_accounts when he is merged
with another; private.account_findings proves it. A sale that is paid at once changes nothing here.';

alter table private.accounts enable row level security;

-- The one way in which they change ----------------------------------------------------------------

create function private.post_account(p_org_id uuid, p_customer_id uuid, p_branch_id uuid, p_amount numeric)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_customer_id is null or p_amount = 0 then
    return;
  end if;
  perform private.lock_customer(p_org_id, p_customer_id);
  insert into private.accounts as a (org_id, customer_id, branch_id, balance)
  values (p_org_id, p_customer_id, p_branch_id, p_amount)
  on conflict (org_id, customer_id, branch_id) do update set balance = a.balance + excluded.balance;
end;
$$;

comment on function private.post_account(uuid, uuid, uuid, numeric) is
'The one way in which private.accounts changes: whoever writes a document that a statement shows says here how much
more the customer owes by it (negative: less), in the organisation''s currency. p_customer_id: null for a walk-in, who
has no account; p_branch_id: the document''s. Locks the customer: an act that takes a number calls this before, or has
locked him before. No errors.';

create function private.merge_accounts(p_org_id uuid, p_keep_id uuid, p_merge_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  with merged as (
    delete from private.accounts where org_id = p_org_id and customer_id = p_merge_id returning branch_id, balance
  )
  insert into private.accounts as a (org_id, customer_id, branch_id, balance)
  select p_org_id, p_keep_id, m.branch_id, m.balance from merged m
  on conflict (org_id, customer_id, branch_id) do update set balance = a.balance + excluded.balance;
end;
$$;

comment on function private.merge_accounts(uuid, uuid, uuid) is
'Adds what p_merge_id owes to what p_keep_id does, whose documents his become; both are locked. No errors.';

-- The proof ---------------------------------------------------------------------------------------

create function private.account_findings(p_org_id uuid)
returns table (problem text, document text, id uuid, expected numeric, found numeric)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with entries as (
    select i.customer_id, i.branch_id, i.total as amount from public.invoices i
    where i.org_id = p_org_id and i.status <> 'draft' and (i.status <> 'void' or exists (
      select from public.credit_notes v where v.org_id = i.org_id and v.invoice_id = i.id and v.voids))
    union all
    select c.customer_id, c.branch_id, -c.total from public.credit_notes c where c.org_id = p_org_id
    union all
    select p.customer_id, p.branch_id, -p.amount from public.payments p where p.org_id = p_org_id
    union all
    select p.customer_id, p.branch_id, p.amount from public.payment_reversals r
    join public.payments p on p.org_id = r.org_id and p.id = r.payment_id where r.org_id = p_org_id
    union all
    select f.customer_id, f.branch_id, f.amount from public.refunds f where f.org_id = p_org_id
    union all
    select g.customer_id, s.branch_id, s.amount from public.credit_settlements s
    join public.credit_agreements g on g.org_id = s.org_id and g.id = s.agreement_id
    where s.org_id = p_org_id and s.component <> 'principal' and s.payment_id is not null
  ), sums as (
    select e.customer_id, e.branch_id, sum(e.amount) as balance from entries e
    where e.customer_id is not null group by 1, 2
  )
  select 'the account is not the sum of its documents', 'customer', coalesce(s.customer_id, a.customer_id),
    coalesce(s.balance, 0), coalesce(a.balance, 0)
  from sums s
  full join (select t.* from private.accounts t where t.org_id = p_org_id) a
    on a.customer_id = s.customer_id and a.branch_id = s.branch_id
  where coalesce(s.balance, 0) <> coalesce(a.balance, 0);
end;
$$;

comment on function private.account_findings(uuid) is
'Every account that is not what the documents of the customer at the branch come to (expected), with what it says
(found), in the organisation''s currency; none when all is well.';

select private.react('customers_merging', 30, 'merge_accounts');
