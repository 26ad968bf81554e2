-- Barcodes: every code that a scanner may read for a variant, GTINs with true check digits, codes of the house's own.

-- Tables ------------------------------------------------------------------------------------------

create table public.variant_barcodes (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null,
  variant_id uuid not null,
  code text not null check (length(btrim(code)) between 1 and 64),
  kind text not null check (kind in ('gtin', 'internal', 'other')),
  gtin14 text generated always as (case when kind <> 'other' then lpad(code, 14, '0') end) stored,
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  unique (org_id, code),
  foreign key (org_id, variant_id) references public.product_variants (org_id, id) on delete cascade
);

comment on table public.variant_barcodes is
'The codes of a variant, each of one variant in the organisation. kind: gtin (EAN-8, UPC-A, EAN-13, GTIN-14), internal
(GS1''s prefixes 20 to 29, for use within a business), other (any text). Left out, it follows from the code. gtin14: the
GTIN in 14 digits, in which a UPC-A and the same number scanned as EAN-13 are equal.';

create table private.barcode_counters (
  org_id uuid primary key references public.organizations (id),
  last_value bigint not null check (last_value > 0)
);

comment on table private.barcode_counters is 'The last number that an organisation''s own barcodes have used.';
alter table private.barcode_counters enable row level security;

-- Indexes -----------------------------------------------------------------------------------------

create unique index variant_barcodes_gtin_key on public.variant_barcodes (org_id, gtin14) where gtin14 is not null;
create index on public.variant_barcodes (variant_id, org_id);
create index on public.variant_barcodes (id);

-- Functions ---------------------------------------------------------------------------------------

create function private.gtin_check_digit(p_digits text) returns text
language plpgsql immutable strict
set search_path = ''
as $$
declare
  v_sum integer := 0;
begin
  -- From the right the digits count three times, once, three times, and so on.
  for v_place in 1 .. length(p_digits) loop
    v_sum := v_sum + substr(p_digits, length(p_digits) - v_place + 1, 1)::integer * (1 + 2 * (v_place % 2));
  end loop;
  return ((10 - v_sum % 10) % 10)::text;
end;
$$;

comment on function private.gtin_check_digit(text) is
'The check digit that belongs behind these digits (GS1 General Specifications, section 7.9.1). p_digits: digits only,
without the check digit. Null for null.';

create function private.read_barcode() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  v_digit text;
begin
  if new.kind = 'other' or (new.kind is null and new.code !~ '^([0-9]{8}|[0-9]{12,14})$') then
    new.kind := 'other';
  elsif new.code !~ '^([0-9]{8}|[0-9]{12,14})$' then
    perform private.fail(400, 'invalid_input', 'A GTIN has 8, 12, 13 or 14 digits.', '{"field": "code"}');
  else
    v_digit := private.gtin_check_digit(left(new.code, -1));
    if right(new.code, 1) <> v_digit then
      perform private.fail(422, 'barcode_check_digit', format('%s is misread or mistyped: its last digit would be %s.',
        new.code, v_digit), jsonb_build_object('field', 'code', 'barcode', new.code, 'expected', v_digit));
    end if;
    new.kind := case when lpad(new.code, 14, '0') like '02%' then 'internal' else 'gtin' end;
  end if;
  return new;
end;
$$;

comment on function private.read_barcode() is
'Row trigger, before insert of a barcode: finds out its kind and checks its digits. GS1 keeps the prefixes 20 to 29 of
EAN-13 for numbers of a business''s own. Errors: 422 barcode_check_digit with the digit expected, 400 invalid_input.';

create function private.keep_primary_barcodes() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  -- The same GTIN in another notation is the same code: the row takes the notation of the label.
  update public.variant_barcodes b set code = f.barcode
  from (
    select n.org_id, t.id, n.barcode from new_rows n
    cross join lateral (
      select x.id from public.variant_barcodes x
      where x.org_id = n.org_id and x.gtin14 = lpad(n.barcode, 14, '0') and x.variant_id = n.id and x.code <> n.barcode
        limit 1) t
    where n.barcode ~ '^([0-9]{8}|[0-9]{12,14})$') f
  where b.org_id = f.org_id and b.id = f.id;
  insert into public.variant_barcodes (org_id, variant_id, code)
  select n.org_id, n.id, n.barcode from new_rows n
  where n.barcode is not null and not exists (
    select from public.variant_barcodes b where b.org_id = n.org_id and b.code = n.barcode and b.variant_id = n.id)
  order by n.org_id, n.barcode;
  return null;
end;
$$;

comment on function private.keep_primary_barcodes() is
'Statement trigger, after variants are added or changed: a variant''s barcode is one of variant_barcodes, and an earlier
one stays there, since it is still on the shelves. Errors: 422 barcode_check_digit, 23505 when the code is another
variant''s.';

create function private.refuse_primary_barcode() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if exists (
    select from public.product_variants v
    where v.org_id = old.org_id and v.id = old.variant_id and v.barcode = old.code) then
    perform private.fail(409, 'in_use', 'This is the code on the variant''s label: give it another one first.',
      jsonb_build_object('id', old.id, 'used_by', 'product_variants', 'barcode', old.code));
  end if;
  return null;
end;
$$;

comment on function private.refuse_primary_barcode() is
'Row trigger, after delete of a barcode: a variant''s primary barcode is not removed. Errors: 409 in_use.';

create function public.generate_barcode(p_id uuid, p_variant_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_org_id uuid := private.org_of('public.product_variants', p_variant_id);
  v_number bigint;
  v_code text;
  v_barcode public.variant_barcodes;
begin
  perform private.authorize('catalogue.manage', v_org_id);
  if private.claim_request(v_org_id, p_id, 'generate_barcode', jsonb_build_array(p_variant_id)) then
    perform from public.product_variants where org_id = v_org_id and id = p_variant_id for no key update;
    if exists (select from public.variant_barcodes where org_id = v_org_id and id = p_id) then
      perform private.fail(409, 'id_reused', 'This id was used before, with other content.',
        jsonb_build_object('id', p_id));
    end if;
    loop
      insert into private.barcode_counters as c (org_id, last_value) values (v_org_id, 1)
      on conflict (org_id) do update set last_value = c.last_value + 1
      returning last_value into v_number;
      v_code := '20' || lpad(v_number::text, 10, '0');
      v_code := v_code || private.gtin_check_digit(v_code);
      -- Codes of this range may have been brought along from elsewhere.
      exit when not exists (
        select from public.variant_barcodes b
        where b.org_id = v_org_id and (b.gtin14 = '0' || v_code or b.code = v_code));
    end loop;
    insert into public.variant_barcodes (id, org_id, variant_id, code) values (p_id, v_org_id, p_variant_id, v_code);
    update public.product_variants set barcode = v_code
    where org_id = v_org_id and id = p_variant_id and barcode is null;
  end if;
  select * into v_barcode from public.variant_barcodes where org_id = v_org_id and id = p_id;
  if v_barcode.id is null then
    perform private.fail(404, 'not_found', 'This code was made, and removed since.', jsonb_build_object('id', p_id));
  end if;
  return to_jsonb(v_barcode) || jsonb_build_object('primary', exists (
    select from public.product_variants v
    where v.org_id = v_org_id and v.id = v_barcode.variant_id and v.barcode = v_barcode.code));
end;
$$;

comment on function public.generate_barcode(uuid, uuid) is
'Gives a variant a barcode of the house''s own: an EAN-13 with GS1''s prefix 20 (numbers within a company), the next
free number and the check digit. p_id: the client''s uuid, the barcode''s id. p_variant_id. It becomes the primary one
where the variant has none. Returns the barcode as JSON with "primary"; the same call again returns the same code.
Errors: 401, 404 not_found, 403 permission_denied, 400 invalid_input, 409 id_reused. Permission: catalogue.manage.';
revoke execute on function public.generate_barcode(uuid, uuid) from public, anon;
grant execute on function public.generate_barcode(uuid, uuid) to authenticated;

-- Triggers ----------------------------------------------------------------------------------------

create trigger t30_read_barcode before insert on public.variant_barcodes for each row
  execute function private.read_barcode();
create trigger t50_refuse_primary_barcode after delete on public.variant_barcodes
  for each row execute function private.refuse_primary_barcode();
create trigger t60_keep_primary_barcodes_insert after insert on public.product_variants referencing new table
  as new_rows
  for each statement execute function private.keep_primary_barcodes();
create trigger t60_keep_primary_barcodes_update after update on public.product_variants referencing new table
  as new_rows
  for each statement execute function private.keep_primary_barcodes();
select audit.attach('public.variant_barcodes');

-- Policies ----------------------------------------------------------------------------------------

alter table public.variant_barcodes enable row level security;
create policy "Who holds catalogue.read reads barcodes" on public.variant_barcodes for select to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.read'))));
create policy "Who holds catalogue.manage adds barcodes" on public.variant_barcodes for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage removes barcodes" on public.variant_barcodes for delete to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))));

-- Grants ------------------------------------------------------------------------------------------

grant select, delete on public.variant_barcodes to authenticated;
grant insert (id, org_id, variant_id, code, kind) on public.variant_barcodes to authenticated;
