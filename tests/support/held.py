"""What the house holds for a customer, as the tests of the money side reckon it."""

# Payments that settle nothing yet, advances among them, and credit notes that were not used.
HELD_FOR = """
select coalesce((
    select sum(private.unallocated(p.org_id, p.id)) from public.payments p
    where p.org_id = %(org_id)s and p.customer_id = %(customer_id)s), 0)
  + coalesce((
    select sum(private.credit_left(c.org_id, c.id)) from public.credit_notes c
    where c.org_id = %(org_id)s and c.customer_id = %(customer_id)s), 0)
"""
