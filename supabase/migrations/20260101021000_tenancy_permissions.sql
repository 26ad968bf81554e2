-- What can be allowed, and which of it each of the five system roles holds when an organisation begins.
-- docs/permissions.md shows the same as a table; a test holds the two together.

create table private.system_roles (
  key text primary key,
  name text not null,
  max_discount_percent numeric(5, 2) not null,
  permissions text[] not null
);

comment on table private.system_roles is 'The roles that create_organization copies into every new organisation.';
alter table private.system_roles enable row level security;

insert into public.permissions (code, description) values
  ('org.manage', 'Change the organisation''s settings'),
  ('branch.manage', 'Create and change branches and locations'),
  ('user.manage', 'Invite people, set their role and branches'),
  ('role.manage', 'Create roles and set what they may do'),
  ('period.close', 'Close and reopen the accounting period'),
  ('audit.read', 'Read the audit log'),
  ('catalogue.read', 'Read products, variants, prices and tax classes'),
  ('catalogue.manage', 'Create and change products, variants, prices and tax classes'),
  ('customer.read', 'Read customers'),
  ('customer.manage', 'Create and change customers'),
  ('customer.credit', 'Set a customer''s credit limit'),
  ('supplier.read', 'Read suppliers'),
  ('supplier.manage', 'Create and change suppliers'),
  ('stock.read', 'Read stock levels and movements'),
  ('stock.adjust', 'Adjust stock, with a reason'),
  ('stock.reserve', 'Reserve stock and release it'),
  ('stock.plan', 'Set reorder points and quantities'),
  ('stock.alert', 'Be told of low stock'),
  ('transfer.manage', 'Create, dispatch and cancel transfers from a branch'),
  ('transfer.receive', 'Receive transfers at a branch'),
  ('count.record', 'Enter what was counted'),
  ('count.manage', 'Start, submit and cancel counts'),
  ('count.approve', 'Approve a count''s differences and post them'),
  ('sale.create', 'Sell over the counter'),
  ('sale.backdate', 'Post a sale with an earlier date'),
  ('sale.expired', 'Sell goods past their expiry date'),
  ('sale.return', 'Take sold goods back'),
  ('price.override', 'Sell at another price than the catalogue''s'),
  ('invoice.read', 'Read invoices and payments'),
  ('quotation.manage', 'Write quotations and send them'),
  ('quotation.approve', 'Record what the customer answered to a quotation'),
  ('order.manage', 'Take sales orders, log work on them, cancel them, and use their advances otherwise'),
  ('order.deliver', 'Deliver what was ordered'),
  ('invoice.create', 'Write invoices without a counter sale'),
  ('invoice.void', 'Void an invoice that nothing was paid on'),
  ('payment.record', 'Record payments and allocate them to invoices'),
  ('payment.reverse', 'Reverse a payment, such as a bounced cheque, or take it off an invoice'),
  ('refund.create', 'Pay a customer''s credit back'),
  ('credit_note.create', 'Issue credit notes and exchange goods'),
  ('credit_note.same_day', 'Void a counter sale on its own day'),
  ('offer.manage', 'Create and change promotions and coupons'),
  ('loyalty.manage', 'Set the rules of loyalty points and correct balances'),
  ('credit.sell', 'Sell on instalments'),
  ('credit.override', 'Give a defaulted customer credit, reschedule and waive'),
  ('report.read', 'Read the reports of sales, balances and taxes'),
  ('shift.manage', 'Open and close one''s own till'),
  ('customer.merge', 'Merge customers that were entered twice');

insert into private.system_roles (key, name, max_discount_percent, permissions) values
  ('admin', 'Administrator', 100, (select array_agg(code order by code) from public.permissions)),
  ('cashier', 'Cashier', 5, array[
    'catalogue.read', 'customer.read', 'customer.manage', 'stock.read', 'stock.reserve', 'transfer.receive', 'count.record',
    'sale.create', 'sale.return', 'invoice.read', 'quotation.manage', 'order.manage', 'order.deliver', 'invoice.create',
    'payment.record', 'credit_note.same_day', 'shift.manage']),
  ('sales_executive', 'Sales executive', 15, array[
    'catalogue.read', 'customer.read', 'customer.manage', 'stock.read', 'stock.reserve', 'transfer.receive', 'count.record',
    'sale.create', 'sale.return', 'price.override', 'invoice.read', 'quotation.manage', 'quotation.approve', 'order.manage',
    'order.deliver', 'invoice.create', 'payment.record', 'credit_note.create', 'credit_note.same_day', 'credit.sell',
    'report.read', 'shift.manage']),
  ('inventory_manager', 'Inventory manager', 0, array[
    'catalogue.read', 'catalogue.manage', 'supplier.read', 'supplier.manage', 'stock.read', 'stock.adjust',
    'stock.reserve', 'stock.plan', 'stock.alert', 'transfer.manage', 'transfer.receive', 'count.record', 'count.manage',
    'order.deliver']),
  ('technician', 'Technician', 0, array['catalogue.read', 'customer.read', 'stock.read', 'count.record']);
