-- Registers of tax: what a period's invoices and credit notes come to, in the shape in which the authorities want it declared.

-- Functions ---------------------------------------------------------------------------------------

create function private.registration_branches(p_org_id uuid, p_branch_id uuid) returns uuid[]
language plpgsql stable
set search_path = ''
as $$
declare
  v_tax_number text := (select b.tax_number from public.branches b where b.org_id = p_org_id and b.id = p_branch_id);
  v_branches uuid[];
begin
  select array_agg(b.id) into v_branches from public.branches b
  where b.org_id = p_org_id and (p_branch_id is null or b.id = p_branch_id or b.tax_number = v_tax_number);
  if exists (
    select from unnest(v_branches) as t (id) where t.id not in (select private.branches_with('report.read'))) then
    perform private.fail(403, 'permission_denied', 'A register is of a whole registration, and you do not cover all its branches.',
      '{"permission": "report.read"}');
  end if;
  return coalesce(v_branches, '{}');
end;
$$;

comment on function private.registration_branches(uuid, uuid) is
'The branches that a register is of: all of the organisation, or those under the same tax number as p_branch_id. Closed ones too: their
documents stay. Errors: 403 permission_denied unless the caller covers every one of them with report.read.';

create function private.check_range(p_from date, p_to date, p_most_days integer default null) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if p_from is null or p_to is null or not isfinite(p_from) or not isfinite(p_to) or p_from > p_to or p_to - p_from > p_most_days then
    perform private.fail(400, 'invalid_input', 'p_from and p_to are the first and the last day, in this order'
      || coalesce(format(', at most %s days apart.', p_most_days), '.'), '{"field": "p_from"}');
  end if;
end;
$$;

comment on function private.check_range(date, date, integer) is
'Is this a period, first day and last? p_most_days: how many days lie between them at most, null for any number. Errors: 400 invalid_input.';

create function private.first_instant(p_day date) returns timestamptz
language plpgsql immutable
set search_path = ''
as $$
begin
  return (p_day - 1)::timestamp at time zone 'UTC';
end;
$$;

comment on function private.first_instant(date) is
'An instant before which it is that day nowhere: what has this business date, or a later one, is found by an index on its instant from here
on. A local date is never more than a day away from UTC''s. No errors.';

create function private.last_instant(p_day date) returns timestamptz
language plpgsql immutable
set search_path = ''
as $$
begin
  return (p_day + 2)::timestamp at time zone 'UTC';
end;
$$;

comment on function private.last_instant(date) is
'An instant from which on it is that day nowhere any more, as private.first_instant. No errors.';

create function private.tax_documents(p_org_id uuid, p_branches uuid[], p_from date, p_to date)
returns table (document text, sign integer, id uuid, invoice_id uuid, number text, business_date date, invoice_number text,
  invoice_date date, seller_number text, buyer_number text, buyer_name text, place text, place_name text, supply_type text,
  reverse_charge boolean, total numeric, invoice_total numeric, cancelled boolean, outside_gst boolean)
language plpgsql stable
set search_path = ''
as $$
declare
  v_from timestamptz := private.first_instant(p_from);
  v_to timestamptz := private.last_instant(p_to);
begin
  return query
  select 'invoice'::text, 1, i.id, i.id, i.number, i.business_date, i.number, i.business_date, i.seller ->> 'tax_number',
    i.buyer ->> 'tax_number', i.buyer ->> 'name', i.place_of_supply, i.place_of_supply_name, i.supply_type, i.reverse_charge, i.total,
    i.total, i.status = 'void' and i.credited = 0, i.tax_regime <> 'gst' or coalesce(i.seller ->> 'tax_scheme' = 'composition', false)
  from public.invoices i
  -- The index knows the instant; the business date is the branch's local one, at most a day away.
  where i.branch_id = any (p_branches) and i.org_id = p_org_id and i.number is not null and i.status <> 'draft'
    and i.issued_at >= v_from and i.issued_at < v_to
    and i.business_date between p_from and p_to
  union all
  select 'credit_note'::text, -1, c.id, i.id, c.number, c.business_date, i.number, i.business_date, i.seller ->> 'tax_number',
    i.buyer ->> 'tax_number', i.buyer ->> 'name', i.place_of_supply, i.place_of_supply_name, i.supply_type, i.reverse_charge, c.total,
    i.total, false, i.tax_regime <> 'gst' or coalesce(i.seller ->> 'tax_scheme' = 'composition', false)
  from public.credit_notes c join public.invoices i on i.org_id = c.org_id and i.id = c.invoice_id
  where c.branch_id = any (p_branches) and c.org_id = p_org_id
    and c.issued_at >= v_from and c.issued_at < v_to
    and c.business_date between p_from and p_to;
end;
$$;

comment on function private.tax_documents(uuid, uuid[], date, date) is
'The invoices and credit notes of a period, as the registers read them. sign: 1, or -1 for what is credited; invoice_*: of the invoice
that a credit note is of; cancelled: voided without a credit note; outside_gst: under another regime or the composition scheme. Drafts are none.';

create function private.tax_lines(p_org_id uuid, p_branches uuid[], p_from date, p_to date)
returns table (document text, id uuid, hsn_code text, unit text, quantity numeric, tax_kind text, tax_rate numeric, taxable numeric,
  tax numeric, taxes jsonb)
language plpgsql stable
set search_path = ''
as $$
declare
  v_from timestamptz := private.first_instant(p_from);
  v_to timestamptz := private.last_instant(p_to);
begin
  return query
  select 'invoice'::text, l.invoice_id, l.hsn_code, l.unit, l.quantity, l.tax_kind, l.tax_rate, l.taxable, l.tax, l.taxes
  from public.invoices i join public.invoice_lines l on l.org_id = i.org_id and l.invoice_id = i.id
  where i.branch_id = any (p_branches) and i.org_id = p_org_id
    and i.issued_at >= v_from and i.issued_at < v_to
  union all
  select 'credit_note'::text, l.credit_note_id, l.hsn_code, l.unit, l.quantity, l.tax_kind, l.tax_rate, l.taxable, l.tax, l.taxes
  from public.credit_notes c join public.credit_note_lines l on l.org_id = c.org_id and l.credit_note_id = c.id
  where c.branch_id = any (p_branches) and c.org_id = p_org_id
    and c.issued_at >= v_from and c.issued_at < v_to;
end;
$$;

comment on function private.tax_lines(uuid, uuid[], date, date) is
'The lines of the documents of a period and of the days beside it, as they were sold or credited: to be joined with
private.tax_documents, which knows the period. No errors.';

create type private.gst_line as (
  section text,
  document text,
  sign integer,
  number text,
  business_date date,
  invoice_number text,
  invoice_date date,
  buyer_number text,
  buyer_name text,
  place text,
  supply_type text,
  reverse_charge boolean,
  with_payment boolean,
  total numeric,
  hsn_code text,
  unit text,
  quantity numeric,
  tax_kind text,
  tax_rate numeric,
  taxable numeric,
  igst numeric,
  cgst numeric,
  sgst numeric,
  cess numeric,
  recipient_tax numeric
);

comment on type private.gst_line is
'A line of an invoice or credit note as form GSTR-1 sorts it. section: b2b, b2cl, b2cs, exp, cdnr, cdnur; sgst: with UTGST; recipient_tax:
what the buyer pays himself under reverse charge.';

create function private.gst_lines(p_org_id uuid, p_branches uuid[], p_from date, p_to date, p_seller_number text)
returns setof private.gst_line
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  with documents as materialized (
    select d.*, case
        when d.supply_type in ('export', 'sez') then 'exp'
        when d.buyer_number is not null then 'b2b'
        when d.supply_type = 'inter_state' and d.invoice_total > private.tax_threshold('IN', 'b2cl', d.invoice_date) then 'b2cl'
        else 'b2cs' end as kind
    from private.tax_documents(p_org_id, p_branches, p_from, p_to) d
    where not d.cancelled and not d.outside_gst and d.seller_number is not distinct from p_seller_number
  )
  select case when d.document = 'invoice' or d.kind = 'b2cs' then d.kind when d.buyer_number is not null and d.supply_type <> 'export'
      then 'cdnr' else 'cdnur' end, d.document, d.sign, d.number, d.business_date, d.invoice_number, d.invoice_date, d.buyer_number,
    d.buyer_name, d.place, d.supply_type, d.reverse_charge, bool_or(l.tax_kind = 'taxable') over (partition by d.id), d.total,
    l.hsn_code, l.unit, l.quantity, l.tax_kind, l.tax_rate, l.taxable,
    t.igst, t.cgst, t.sgst, t.cess,
    case when l.tax_kind = 'reverse_charge' then round(l.taxable * l.tax_rate / 100, 2) else 0.00 end
  from documents d
  join private.tax_lines(p_org_id, p_branches, p_from, p_to) l on l.id = d.id and l.document = d.document
  cross join lateral (
    select coalesce(sum(x.amount) filter (where x.component = 'IGST'), 0.00) as igst,
      coalesce(sum(x.amount) filter (where x.component = 'CGST'), 0.00) as cgst,
      coalesce(sum(x.amount) filter (where x.component in ('SGST', 'UTGST')), 0.00) as sgst,
      coalesce(sum(x.amount) filter (where x.component = 'CESS'), 0.00) as cess
    from jsonb_to_recordset(l.taxes) x (component text, amount numeric)) t;
end;
$$;

comment on function private.gst_lines(uuid, uuid[], date, date, text) is
'All lines that a registration declares for a period, sorted into the sections of form GSTR-1 (CGST Rules 2017, rule 59(4)). A credit
note to a registered person goes to cdnr, one for an export or a large inter-State invoice to cdnur; any other lessens b2cs. No errors.';

create function private.gst_sums(p_lines private.gst_line[]) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  return (
    select jsonb_build_object('documents', count(distinct l.document || l.number), 'taxable', coalesce(sum(l.sign * l.taxable), 0.00),
      'igst', coalesce(sum(l.sign * l.igst), 0.00), 'cgst', coalesce(sum(l.sign * l.cgst), 0.00),
      'sgst', coalesce(sum(l.sign * l.sgst), 0.00), 'cess', coalesce(sum(l.sign * l.cess), 0.00),
      'recipient_tax', coalesce(sum(l.sign * l.recipient_tax), 0.00))
    from unnest(p_lines) l);
end;
$$;

comment on function private.gst_sums(private.gst_line[]) is
'What lines come to: documents, taxable, igst, cgst, sgst, cess, recipient_tax; credit notes count as negative. No errors.';

create function private.gst_documents(p_lines private.gst_line[]) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  return (
    with rates as (
      select l.document, l.number, l.tax_rate as rate, sum(l.taxable) as taxable, sum(l.igst) as igst, sum(l.cgst) as cgst,
        sum(l.sgst) as sgst, sum(l.cess) as cess, sum(l.recipient_tax) as recipient_tax
      from unnest(p_lines) l group by 1, 2, 3
    ), items as (
      select r.document, r.number, jsonb_agg(to_jsonb(r) - 'document' - 'number' order by r.rate) as list from rates r group by 1, 2
    ), heads as (
      select distinct on (l.document, l.number) l.* from unnest(p_lines) l order by l.document, l.number
    )
    select coalesce(jsonb_agg(jsonb_build_object('number', h.number, 'date', h.business_date, 'gstin', h.buyer_number,
        'name', h.buyer_name, 'value', h.total, 'place_of_supply', h.place, 'reverse_charge', h.reverse_charge,
        'type', case h.supply_type when 'export' then case when h.with_payment then 'WPAY' else 'WOPAY' end
          when 'sez' then case when h.with_payment then 'SEWP' else 'SEWOP' end else 'R' end, 'items', i.list)
      || case when h.document = 'credit_note' then jsonb_build_object('invoice_number', h.invoice_number, 'invoice_date', h.invoice_date)
        else '{}' end order by h.business_date, h.number), '[]')
    from heads h join items i on i.document = h.document and i.number = h.number);
end;
$$;

comment on function private.gst_documents(private.gst_line[]) is
'Lines as the documents that form GSTR-1 lists: number, date, gstin, name, value, place_of_supply, reverse_charge, type (R, WPAY,
WOPAY, SEWP, SEWOP), items by rate, and of a credit note the invoice. No errors.';

create function private.gst_small(p_lines private.gst_line[]) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(to_jsonb(s) order by s.place_of_supply, s.rate), '[]') from (
      select l.place as place_of_supply, case l.supply_type when 'intra_state' then 'INTRA' else 'INTER' end as type, l.tax_rate as rate,
        sum(l.sign * l.taxable) as taxable, sum(l.sign * l.igst) as igst, sum(l.sign * l.cgst) as cgst, sum(l.sign * l.sgst) as sgst,
        sum(l.sign * l.cess) as cess
      from unnest(p_lines) l group by 1, 2, 3) s);
end;
$$;

comment on function private.gst_small(private.gst_line[]) is
'Small supplies to consumers by place and rate, less what was credited (form GSTR-1, table 7). No errors.';

create function private.gst_untaxed(p_lines private.gst_line[]) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(to_jsonb(s) order by s.type), '[]') from (
      select case when l.supply_type = 'intra_state' then 'INTRA' else 'INTER' end
          || case when l.buyer_number is null then 'B2C' else 'B2B' end as type,
        coalesce(sum(l.sign * l.taxable) filter (where l.tax_kind = 'nil_rated'), 0.00) as nil_rated,
        coalesce(sum(l.sign * l.taxable) filter (where l.tax_kind = 'exempt'), 0.00) as exempt,
        coalesce(sum(l.sign * l.taxable) filter (where l.tax_kind = 'non_gst'), 0.00) as non_gst
      from unnest(p_lines) l group by 1) s);
end;
$$;

comment on function private.gst_untaxed(private.gst_line[]) is
'Nil-rated, exempt and non-GST supplies, less what was credited (form GSTR-1, table 8). No errors.';

create function private.gst_hsn(p_lines private.gst_line[]) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(to_jsonb(s) order by s.hsn_code, s.rate, s.unit), '[]') from (
      select l.hsn_code, case when l.hsn_code like '99%' then 'NA' else l.unit end as unit, l.tax_rate as rate,
        case when l.hsn_code like '99%' then 0 else sum(l.sign * l.quantity) end as quantity,
        sum(l.sign * (l.taxable + l.igst + l.cgst + l.sgst + l.cess)) as value, sum(l.sign * l.taxable) as taxable,
        sum(l.sign * l.igst) as igst, sum(l.sign * l.cgst) as cgst, sum(l.sign * l.sgst) as sgst, sum(l.sign * l.cess) as cess
      from unnest(p_lines) l group by l.hsn_code, 2, l.tax_rate) s);
end;
$$;

comment on function private.gst_hsn(private.gst_line[]) is
'Supplies by HSN code, unit and rate, less what was credited (form GSTR-1, table 12); services have no quantity. No errors.';

create function private.gst_series(p_org_id uuid, p_branches uuid[], p_from date, p_to date, p_seller_number text) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(to_jsonb(s) order by s.document, s."from"), '[]') from (
      select case d.document when 'invoice' then 'Invoices for outward supply' else 'Credit notes' end as document,
        (array_agg(d.number order by length(d.number), d.number))[1] as "from",
        (array_agg(d.number order by length(d.number) desc, d.number desc))[1] as "to", count(*) as total,
        count(*) filter (where d.cancelled) as cancelled, count(*) filter (where not d.cancelled) as net
      from private.tax_documents(p_org_id, p_branches, p_from, p_to) d
      where not d.outside_gst and d.seller_number is not distinct from p_seller_number
      group by d.document, substring(d.number from '^(.*)/[0-9]+$')) s);
end;
$$;

comment on function private.gst_series(uuid, uuid[], date, date, text) is
'The series of documents issued in a period, each with its first and last number and how many were cancelled (form GSTR-1, table 13).';

create function private.gst_registration(p_org_id uuid, p_branches uuid[], p_from date, p_to date, p_seller_number text) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_by_section jsonb := '{}'::jsonb;
  v_section text;
  v_lines private.gst_line[];
  v_all private.gst_line[];
  v_rated private.gst_line[];
  v_sums jsonb;
begin
  select array_agg(l) into v_all from private.gst_lines(p_org_id, p_branches, p_from, p_to, p_seller_number) l;
  v_sums := private.gst_sums(v_all);
  select array_agg(l) into v_rated from unnest(v_all) l where l.tax_kind not in ('nil_rated', 'exempt', 'non_gst', 'untaxed');
  foreach v_section in array array['b2b', 'b2cl', 'b2cs', 'exp', 'cdnr', 'cdnur'] loop
    v_lines := (select array_agg(l) from unnest(v_rated) l where l.section = v_section);
    v_by_section := v_by_section || jsonb_build_object(v_section, jsonb_build_object('sums', private.gst_sums(v_lines),
      'rows', case when v_section = 'b2cs' then private.gst_small(v_lines) else private.gst_documents(v_lines) end));
  end loop;
  v_lines := (select array_agg(l) from unnest(v_all) l where l.tax_kind in ('nil_rated', 'exempt', 'non_gst', 'untaxed'));
  return jsonb_build_object('gstin', p_seller_number) || v_by_section || jsonb_build_object(
    'nil', jsonb_build_object('sums', private.gst_sums(v_lines), 'rows', private.gst_untaxed(v_lines)),
    -- Exports go with the consumers: table 12 counts as B2B what tables 4, 6B and 6C list.
    'hsn', jsonb_build_object('sums', v_sums,
      'b2b', private.gst_hsn((select array_agg(l) from unnest(v_all) l where l.buyer_number is not null and l.supply_type <> 'export')),
      'b2c', private.gst_hsn((select array_agg(l) from unnest(v_all) l where l.buyer_number is null or l.supply_type = 'export'))),
    'docs', jsonb_build_object('rows', private.gst_series(p_org_id, p_branches, p_from, p_to, p_seller_number)),
    'sums', v_sums);
end;
$$;

comment on function private.gst_registration(uuid, uuid[], date, date, text) is
'The register of one GSTIN for a period: parameters and shape as gstr1. No errors.';

create function public.gstr1(p_org_id uuid, p_from date, p_to date, p_branch_id uuid default null) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_branches uuid[];
begin
  perform private.authorize('report.read', p_org_id, p_branch_id);
  perform private.check_range(p_from, p_to, 366);
  v_branches := private.registration_branches(p_org_id, p_branch_id);
  return jsonb_build_object('org_id', p_org_id, 'from', p_from, 'to', p_to, 'b2cl_above', private.tax_threshold('IN', 'b2cl', p_to),
    'registrations', (
      select coalesce(jsonb_agg(private.gst_registration(p_org_id, v_branches, p_from, p_to, n.seller_number) order by n.seller_number),
        '[]')
      from (select distinct d.seller_number from private.tax_documents(p_org_id, v_branches, p_from, p_to) d
        where not d.outside_gst) n));
end;
$$;

comment on function public.gstr1(uuid, date, date, uuid) is
'The register of outward supplies in the sections of form GSTR-1 (CGST Rules 2017, rule 59), from the invoices and credit notes as they
were issued. p_org_id. p_from, p_to: first and last business date, a year at most. p_branch_id: only the registration (GSTIN) of this
branch; null for all, each by itself. Returns {"from", "to", "b2cl_above", "registrations": [{"gstin", "b2b", "b2cl", "b2cs", "exp" (and
SEZ), "cdnr", "cdnur", "nil", "hsn": {"b2b", "b2c"}, "docs", "sums"}]}; a section has "rows" and "sums" (documents, taxable, igst, cgst,
sgst, cess, recipient_tax), amounts in rupees, credit notes negative in sums; all sections but hsn and docs add up to "sums". b2cs and
nil are less what was credited. Documents under the composition scheme are not in it: they are declared in GSTR-4.
Errors: 401, 404 not_found, 403 permission_denied, 400 invalid_input. Permission: report.read at all branches of the registration.';
revoke execute on function public.gstr1(uuid, date, date, uuid) from public, anon;
grant execute on function public.gstr1(uuid, date, date, uuid) to authenticated;

create function public.vat_return(p_org_id uuid, p_from date, p_to date, p_branch_id uuid default null) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_branches uuid[];
begin
  perform private.authorize('report.read', p_org_id, p_branch_id);
  perform private.check_range(p_from, p_to, 366);
  v_branches := private.registration_branches(p_org_id, p_branch_id);
  return (
    with lines as materialized (
      select d.place, d.place_name, d.supply_type, d.sign, l.tax_kind, l.tax_rate, l.taxable, l.tax, l.taxes
      from private.tax_documents(p_org_id, v_branches, p_from, p_to) d
      join private.tax_lines(p_org_id, v_branches, p_from, p_to) l on l.id = d.id and l.document = d.document
      where not d.cancelled
    ), components as (
      select l.place, max(l.place_name) as place_name, c ->> 'component' as component, (c ->> 'rate')::numeric as rate,
        sum(l.sign * l.taxable) as taxable, sum(l.sign * (c ->> 'amount')::numeric) as tax
      from lines l cross join lateral jsonb_array_elements(l.taxes) c group by 1, 3, 4
    ), untaxed as (
      select l.place, max(l.place_name) as place_name, l.supply_type, l.tax_kind, sum(l.sign * l.taxable) as taxable
      from lines l where l.taxes = '[]' group by 1, 3, 4
    )
    select jsonb_build_object('org_id', p_org_id, 'from', p_from, 'to', p_to,
      'rows', (select coalesce(jsonb_agg(to_jsonb(c) order by c.place, c.component, c.rate desc), '[]') from components c),
      'untaxed', (select coalesce(jsonb_agg(to_jsonb(u) order by u.place, u.supply_type, u.tax_kind), '[]') from untaxed u),
      'sums', (select jsonb_build_object('taxable', coalesce(sum(l.sign * l.taxable), 0.00), 'tax', coalesce(sum(l.sign * l.tax), 0.00))
        from lines l)));
end;
$$;

comment on function public.vat_return(uuid, date, date, uuid) is
'Output tax of a period by place, component and rate, as returns of VAT and sales tax ask for it. p_org_id. p_from, p_to: first and
last business date, a year at most. p_branch_id: only the registration of this branch; null for the whole organisation. Returns {"from",
"to", "rows": [{"place", "place_name", "component", "rate" (percent), "taxable", "tax"}], "untaxed": [{"place", "supply_type",
"tax_kind", "taxable"}] (exports, supplies within a tax union, reverse charge, exempt and zero-rated), "sums": {"taxable", "tax"}},
amounts in the organisation''s currency, less what was credited; the taxes of the rows add up to that of the documents.
Errors: 401, 404 not_found, 403 permission_denied, 400 invalid_input. Permission: report.read at all branches of the registration.';
revoke execute on function public.vat_return(uuid, date, date, uuid) from public, anon;
grant execute on function public.vat_return(uuid, date, date, uuid) to authenticated;
