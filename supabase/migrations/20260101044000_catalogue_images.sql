-- Product images: two buckets of Storage, who may put what into them, and which picture belongs to which product.
-- A file lies under <organisation>/<product>/<file name>; the policies read the path, so the path is the permission.

-- Buckets -----------------------------------------------------------------------------------------
-- product-images is for the house. What lies in storefront is read by everybody who knows its address, without
-- signing in. SVG and HTML are not in the lists: a picture must not be able to run a script.

insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types) values
  ('product-images', 'product-images', false, 5242880, array['image/png', 'image/jpeg', 'image/webp']),
  ('storefront', 'storefront', true, 5242880, array['image/png', 'image/jpeg', 'image/webp'])
on conflict (id) do update set public = excluded.public, file_size_limit = excluded.file_size_limit,
  allowed_mime_types = excluded.allowed_mime_types;

-- Tables ------------------------------------------------------------------------------------------

create table public.product_images (
  id uuid not null default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  product_id uuid not null,
  variant_id uuid,
  bucket_id text not null default 'product-images' check (bucket_id in ('product-images', 'storefront')),
  path text not null check (
    starts_with(path, org_id::text || '/' || product_id::text || '/')
    and path ~ '^[^/]+/[^/]+/[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.(png|jpe?g|webp)$'),
  position integer not null default 0 check (position between 0 and 9999),
  alt_text text check (length(btrim(alt_text)) between 1 and 300),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, org_id),
  unique (bucket_id, path),
  foreign key (org_id, product_id) references public.products (org_id, id),
  foreign key (org_id, product_id, variant_id) references public.product_variants (org_id, product_id, id)
);

comment on table public.product_images is
'Pictures of a product, or of one of its variants (variant_id). bucket_id and path name the file in Storage: bucket
storefront is public, product-images is not. position: order of display, smallest first. alt_text: what it shows, for
screen readers. First the file is uploaded, then the row is added; to replace a picture upload another file, add its
row, archive the old one. A file that a row names which is not archived can be neither changed, moved nor removed.
Errors: 422 file_missing. Permission: catalogue.read, to write catalogue.manage.';

-- Indexes -----------------------------------------------------------------------------------------

create index on public.product_images (org_id, product_id, variant_id);

-- Functions ---------------------------------------------------------------------------------------

create function private.is_image_path(p_name text) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  -- The shape decides before anything is cast: a path may hold whatever a client likes to send.
  if p_name !~ ('^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
    '/[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.(png|jpe?g|webp)$')
  then
    return false;
  end if;
  return exists (
    select from public.products p
    where p.org_id = split_part(p_name, '/', 1)::uuid and p.id = split_part(p_name, '/', 2)::uuid);
end;
$$;

comment on function private.is_image_path(text) is
'Whether p_name, the path of a file in a bucket, is <organisation>/<product>/<file name> with ids in lower case, a plain
file name, and a product that the caller sees. For policies of Storage. Never fails, whatever p_name holds.';

create function private.lock_image(p_bucket_id text, p_name text) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(format('file:%s/%s', p_bucket_id, p_name), 0));
end;
$$;

comment on function private.lock_image(text, text) is
'Whoever names a file as a picture and whoever removes it wait for one another, until the transaction ends. No errors.';

create function private.is_image_free(p_bucket_id text, p_name text) returns boolean
language plpgsql volatile security definer cost 100000
set search_path = ''
as $$
begin
  -- Volatile, so that this looks after the wait and sees what was committed meanwhile; costly, so that it is asked last
  -- and only of files that the caller may touch at all.
  perform private.lock_image(p_bucket_id, p_name);
  return not exists (
    select from public.product_images i where i.bucket_id = p_bucket_id and i.path = p_name and i.archived_at is null);
end;
$$;

comment on function private.is_image_free(text, text) is
'Whether no picture that is shown names this file; if so, none will before the transaction ends. For policies of
Storage, whose own conditions say whose files may be asked about. No errors.';

create function private.require_image_file() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if new.archived_at is not null then
    return null;
  end if;
  perform private.lock_image(new.bucket_id, new.path);
  if not exists (select from storage.objects o where o.bucket_id = new.bucket_id and o.name = new.path) then
    perform private.fail(422, 'file_missing', 'The picture has not been uploaded.',
      jsonb_build_object('bucket_id', new.bucket_id, 'path', new.path));
  end if;
  return null;
end;
$$;

comment on function private.require_image_file() is
'Trigger: a picture that is shown has its file in Storage. It looks past the policies of Storage, because who may add
the row has been decided by the policies of the table. Errors: 422 file_missing.';

revoke execute on function private.is_image_path(text) from public, anon;
revoke execute on function private.require_image_file(), private.lock_image(text, text) from public, anon;
revoke execute on function private.is_image_free(text, text) from public, anon;
grant execute on function private.is_image_path(text), private.is_image_free(text, text) to authenticated;

-- Triggers ----------------------------------------------------------------------------------------

create trigger t90_touch_updated_at before update on public.product_images for each row
  execute function private.touch_updated_at();
-- After the row: who may not write it at all is refused for that, and learns nothing about files.
create trigger t50_require_image_file after insert or update of archived_at on public.product_images
  for each row execute function private.require_image_file();

select audit.attach('public.product_images');

-- Policies ----------------------------------------------------------------------------------------

alter table public.product_images enable row level security;
create policy "Who holds catalogue.read reads product images" on public.product_images for select to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.read'))));
create policy "Who holds catalogue.manage adds product images" on public.product_images for insert to authenticated
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));
create policy "Who holds catalogue.manage changes product images" on public.product_images for update to authenticated
  using (org_id = any (array(select private.orgs_with('catalogue.manage'))))
  with check (org_id = any (array(select private.orgs_with('catalogue.manage'))));

-- Of Storage. The organisation is compared as text, so nothing is cast that a client made up. Reading a file of bucket
-- storefront by its public address asks no policy; listing it does, so nobody leafs through another house's files.

create policy "Who holds catalogue.read reads the house's image files" on storage.objects for select to authenticated
  using (
    bucket_id in ('product-images', 'storefront')
    and split_part(name, '/', 1) = any (array(select o.id::text from private.orgs_with('catalogue.read') as o (id))));
create policy "Who holds catalogue.manage uploads image files of products" on storage.objects
  for insert to authenticated
  with check (
    bucket_id in ('product-images', 'storefront')
    and split_part(name, '/', 1) = any (array(select o.id::text from private.orgs_with('catalogue.manage') as o (id)))
    and private.is_image_path(name));
-- Moving and overwriting are updates. A file in use stays as it is: what was shown, cached or printed under its address
-- remains what it was, and no row of product_images loses its file. Hosted Storage asks this before it overwrites or
-- moves, in a transaction of its own; only a removal is one statement, so only between a removal and a new picture is
-- nothing left open.
create policy "Who holds catalogue.manage changes image files not in use" on storage.objects
  for update to authenticated
  using (
    bucket_id in ('product-images', 'storefront')
    and split_part(name, '/', 1) = any (array(select o.id::text from private.orgs_with('catalogue.manage') as o (id)))
    and private.is_image_free(bucket_id, name))
  with check (
    bucket_id in ('product-images', 'storefront')
    and split_part(name, '/', 1) = any (array(select o.id::text from private.orgs_with('catalogue.manage') as o (id)))
    and private.is_image_path(name));
create policy "Who holds catalogue.manage removes image files not in use" on storage.objects
  for delete to authenticated
  using (
    bucket_id in ('product-images', 'storefront')
    and split_part(name, '/', 1) = any (array(select o.id::text from private.orgs_with('catalogue.manage') as o (id)))
    and private.is_image_free(bucket_id, name));

-- Grants ------------------------------------------------------------------------------------------
-- A row is archived, not deleted, as everything of the catalogue; then its file may go.

grant select on public.product_images to authenticated;
grant insert (id, org_id, product_id, variant_id, bucket_id, path, position, alt_text) on public.product_images
  to authenticated;
grant update (variant_id, position, alt_text, archived_at) on public.product_images to authenticated;
