-- What the gateway's tests need, in a database without Branchline's migrations. Run as role postgres.
create schema private;
grant usage on schema private to supabase_auth_admin;

-- Stands in for Branchline's hook: refuses one address, breaks the claims of another, fails for a third.
create function private.custom_access_token(event jsonb) returns jsonb language plpgsql as $$
declare
  v_claims jsonb := event -> 'claims';
begin
  case v_claims ->> 'email'
    when 'refused@shop.example' then
      return jsonb_build_object('error', jsonb_build_object('http_code', 403, 'message', 'Not on Sundays'));
    when 'broken@shop.example' then
      return jsonb_build_object('claims', v_claims - 'role');
    when 'failing@shop.example', 'flaky@shop.example' then
      raise exception 'out of order';
    else
      return jsonb_build_object('claims', v_claims || jsonb_build_object(
        'called_by', current_user, 'asked_as', event ->> 'authentication_method', 'asked_for', event ->> 'user_id'));
  end case;
end
$$;
revoke execute on function private.custom_access_token(jsonb) from public;
grant execute on function private.custom_access_token(jsonb) to supabase_auth_admin;

create table public.gw_shops (
  org_id uuid not null,
  id uuid not null default gen_random_uuid(),
  name text not null,
  primary key (org_id, id)
);
create table public.gw_items (
  org_id uuid not null,
  id bigint generated always as identity primary key,
  shop_id uuid,
  sku text not null,
  price numeric(12, 2) not null default 0 check (price >= 0),
  exact numeric,
  made_at timestamptz not null default now(),
  opened timestamp,
  big bigint,
  blob bytea,
  tags text[],
  amounts numeric[],
  doc jsonb,
  owner uuid default auth.uid(),
  request_id text default current_setting('request.headers', true)::jsonb ->> 'x-request-id',
  unique (org_id, sku),
  foreign key (org_id, shop_id) references public.gw_shops (org_id, id)
);
create table public.gw_parts (
  id int primary key,
  item_id bigint not null references public.gw_items (id) on delete cascade,
  quantity numeric(10, 3) not null
);
alter table public.gw_shops enable row level security;
alter table public.gw_items enable row level security;
alter table public.gw_parts enable row level security;
create policy "Everybody signed in sees shops" on public.gw_shops for select to authenticated using (true);
create policy "Everybody signed in sees items" on public.gw_items for select to authenticated using (true);
create policy "One adds one's own items" on public.gw_items for insert to authenticated with check (owner = auth.uid());
create policy "One changes one's own items" on public.gw_items for update to authenticated using (owner = auth.uid());
create policy "Everybody signed in sees parts" on public.gw_parts for select to authenticated using (true);
create policy "Everybody signed in adds parts" on public.gw_parts for insert to authenticated with check (true);
revoke all on public.gw_shops, public.gw_items, public.gw_parts from anon, authenticated, service_role;
grant select on public.gw_shops, public.gw_items, public.gw_parts to authenticated, service_role;
grant insert, update on public.gw_items to authenticated;
grant insert on public.gw_parts to authenticated;

create function public.gw_document() returns jsonb language sql stable as $$
  select '{"total": 1180.00, "exact": 12345678901234567890.123456789, "lines": [{"quantity": 1.000}], "none": null}'::jsonb
$$;
create function public.gw_kind(p_value jsonb) returns text language sql stable as $$
  select coalesce(jsonb_typeof(p_value), 'missing') || ' ' || coalesce(p_value::text, '')
$$;
create function public.gw_whoami() returns jsonb language sql volatile as $$
  select jsonb_build_object(
    'role', current_user, 'login', session_user, 'uid', auth.uid(), 'claims', auth.jwt(),
    'search_path', current_setting('search_path'), 'method', current_setting('request.method', true),
    'path', current_setting('request.path', true),
    'request_id', current_setting('request.headers', true)::jsonb ->> 'x-request-id')
$$;
create function public.gw_raise(p_code text) returns void language plpgsql as $$
begin
  raise exception using errcode = p_code, message = 'No stock', detail = '{"code":"insufficient_stock"}', hint = 'Order more';
end
$$;
create function public.gw_answer(p_message text, p_detail text) returns void language plpgsql as $$
begin
  if p_detail is null then
    raise sqlstate 'PGRST' using message = p_message;
  end if;
  raise sqlstate 'PGRST' using message = p_message, detail = p_detail;
end
$$;
create function public.gw_take_role(p_role text) returns text language plpgsql as $$
begin
  perform set_config('role', p_role, true);
  return current_user;
end
$$;
create function public.gw_write(p_id int) returns int language sql volatile as $$
  insert into public.gw_parts (id, item_id, quantity) select p_id, min(id), 1 from public.gw_items returning id
$$;
create function public.gw_sneaky() returns int language plpgsql stable as $$
begin
  execute 'insert into public.gw_parts select 999, min(id), 1 from public.gw_items';
  return 1;
end
$$;
create function public.gw_search(p_text text) returns setof public.gw_items language sql stable as $$
  select * from public.gw_items where sku ilike '%' || p_text || '%'
$$;

insert into public.gw_shops (org_id, id, name) values
  ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a', 'North'),
  ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-00000000000a', 'Namesake of another organisation');
insert into public.gw_items (org_id, shop_id, sku, price, exact, made_at, opened, big, blob, tags, amounts, doc)
values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a', 'SOFA', 1180.00, 0.100,
  '2026-11-21 02:43:48.5+00', '2026-11-21 08:00', 9007199254740993, '\x00ff', '{a,b}', '{1.10,2.00}', '{"n": 1.50}');
insert into public.gw_parts values (1, 1, 4.000);
