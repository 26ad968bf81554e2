-- What other rooms can react to in the life of an invoice and a payment. An organisation that does not use a room pays
-- one look-up.

select private.add_event('invoice_paid', 'p_org_id uuid, p_invoice_id uuid, p_new boolean default false', 'void',
'Called once, in the same transaction, when an invoice becomes paid: by payments, by credit notes, or at once in a
counter sale (p_new: it was written just now, so that nothing of it can have been undone or credited yet). The invoice
is locked. No errors.');

select private.add_event('invoice_unpaid', 'p_org_id uuid, p_invoice_id uuid', 'void',
'Called once, in the same transaction, when a paid invoice is paid no longer: a payment bounced, or the sale was voided.
The invoice is locked. No errors.');

select private.add_event('invoice_reduced', 'p_org_id uuid, p_invoice_id uuid, p_void boolean', 'void',
'Called in the same transaction when something of an invoice was credited, or it became void (p_void), and its sums say
so already. What is paid is not told: whoever takes a payment writes what it settles. The invoice is locked. No
errors.');

select private.add_event('invoice_credited', 'p_org_id uuid, p_invoice_id uuid, p_credit_note_id uuid', 'void',
'Called once, in the same transaction, when a credit note has been issued and its credit applied. p_invoice_id: of
which. No errors.');

select private.add_event('invoice_voided', 'p_org_id uuid, p_invoice_id uuid', 'void',
'Called once, in the same transaction, when an invoice became void without a credit note. The invoice is locked. No
errors.');

select private.add_event('payment_reversed', 'p_org_id uuid, p_payment_id uuid', 'void',
'Called once, in the same transaction, when a payment was reversed; its allocations are taken back already. No
errors.');

select private.add_event('advance_taken', 'p_org_id uuid, p_order_id uuid, p_customer_id uuid', 'void',
'A payment of this customer is about to be taken in advance on an order. Errors: of the room of orders, when it may
not.');

select private.add_event('advance_used', 'p_payment public.payments, p_invoice_ids uuid[]', 'void',
'What is left of a payment is about to settle these invoices, or (null) to be paid back. Errors: of the room to whose
documents it belongs.');

select private.add_event('payment_refunded', 'p_org_id uuid, p_refund_id uuid, p_method text', 'void',
'Called once, in the same transaction, when a refund was written, with its sources. p_method: how it was paid. No
errors.');

select private.add_event('credit_held', 'p_org_id uuid, p_customer_id uuid', 'numeric',
'What the house holds for a customer and has not used yet, in the organisation''s currency. No errors.');

select private.add_event('credit_promised', 'p_org_id uuid, p_customer_id uuid', 'numeric',
'What a customer has ordered on credit beside his invoices, in the organisation''s currency. No errors.');

select private.add_event('invoice_extras', 'p_org_id uuid, p_invoice_id uuid, p_customer_id uuid, p_at timestamptz',
  'jsonb',
'What other rooms tell of an invoice, as keys of its JSON. p_customer_id: its customer, null for a walk-in and for a
draft; p_at: when it was written. No errors.');

grant execute on function private.invoice_extras(uuid, uuid, uuid, timestamptz) to authenticated;

select private.add_event('books_findings', 'p_org_id uuid',
  'table(problem text, document text, id uuid, expected numeric, found numeric)',
'What disagrees in the books of the money side: whichever document''s sums are not what its entries say. Of each
room that keeps such sums. No errors.');
