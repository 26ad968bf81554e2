-- What other rooms do when an invoice is paid, is no longer paid, or is credited. Each is one call per room, early out when
-- the organisation does not use the room.

create function private.invoice_paid(p_org_id uuid, p_invoice_id uuid, p_new boolean default false) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.settle_points(p_org_id, p_invoice_id, p_new);
end;
$$;

comment on function private.invoice_paid(uuid, uuid, boolean) is
'Called once, in the same transaction, when an invoice becomes paid: by payments, by credit notes, or at once in a counter sale (p_new:
it was written just now, so that nothing of it can have been undone or credited yet).
The invoice is locked. No errors.';

create function private.invoice_unpaid(p_org_id uuid, p_invoice_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.settle_points(p_org_id, p_invoice_id);
end;
$$;

comment on function private.invoice_unpaid(uuid, uuid) is
'Called once, in the same transaction, when a paid invoice is paid no longer: a payment bounced, or the sale was voided. The
invoice is locked. No errors.';

create function private.invoice_credited(p_org_id uuid, p_credit_note_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.credit_points(p_org_id, p_credit_note_id);
  perform private.give_coupon_back(p_org_id, c.invoice_id)
  from public.credit_notes c where c.org_id = p_org_id and c.id = p_credit_note_id;
end;
$$;

comment on function private.invoice_credited(uuid, uuid) is
'Called once, in the same transaction, when a credit note has been issued and its credit applied. No errors.';

create function private.invoice_voided(p_org_id uuid, p_invoice_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.give_coupon_back(p_org_id, p_invoice_id);
end;
$$;

comment on function private.invoice_voided(uuid, uuid) is
'Called once, in the same transaction, when an invoice became void without a credit note. The invoice is locked. No errors.';

create function private.payment_reversed(p_org_id uuid, p_payment_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform private.unpay_points(p_org_id, p_payment_id);
  perform private.instalments_unpaid(p_org_id, p_payment_id);
end;
$$;

comment on function private.payment_reversed(uuid, uuid) is
'Called once, in the same transaction, when a payment was reversed; its allocations are taken back already. No errors.';
