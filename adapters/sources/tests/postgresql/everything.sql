-- A database of everything that a PostgreSQL database holds. psql's variables: rows.
set client_min_messages = warning;
create schema "Schéma ""quoted""";
create schema "-lead/slash = x";
-- One of the servers has no other extension than vector.
select count(*) > 0 as trigrams from pg_available_extensions where name = 'pg_trgm' \gset
\if :trigrams
create extension pg_trgm;
\else
create extension vector;
\endif
-- Ranges of many parts came with version 14.
select case when current_setting('server_version_num')::int >= 140000 then 'int4multirange' else 'int4range' end as multi,
  case when current_setting('server_version_num')::int >= 140000 then '{[1,3),[7,9)}' else '[1,3)' end as some \gset
create type mood as enum ('sad', 'ok', 'glücklich');
create type pair as (a int, b text);
create type span as range (subtype = float8);
create domain percent as numeric(5, 2) check (value between 0 and 100);
create sequence counter start 7 increment 3 maxvalue 1000 cycle;
select setval('counter', 40);

create table every_type (
  id bigint generated always as identity primary key,
  c_smallint smallint, c_int int, c_bigint bigint, c_numeric numeric, c_numeric_p numeric(30, 10), c_real real, c_double double precision,
  c_money money, c_bool boolean, c_char char(7), c_varchar varchar(40), c_text text, c_name name, c_bytea bytea, c_bit bit(5), c_varbit bit varying(9),
  c_date date, c_time time, c_timetz timetz, c_ts timestamp, c_tstz timestamptz, c_interval interval,
  c_uuid uuid, c_json json, c_jsonb jsonb, c_xml xml, c_inet inet, c_cidr cidr, c_mac macaddr, c_mac8 macaddr8,
  c_point point, c_line line, c_lseg lseg, c_box box, c_path path, c_polygon polygon, c_circle circle,
  c_tsvector tsvector, c_tsquery tsquery, c_int4range int4range, c_tstzrange tstzrange, c_multi :multi, c_span span,
  c_mood mood, c_pair pair, c_percent percent, c_ints int[], c_texts text[][], c_oid oid, c_regclass regclass, c_lsn pg_lsn,
  c_generated int generated always as (c_int * 2) stored
);
insert into every_type (c_smallint, c_int, c_bigint, c_numeric, c_numeric_p, c_real, c_double, c_money, c_bool, c_char, c_varchar, c_text, c_name, c_bytea, c_bit,
  c_varbit, c_date, c_time, c_timetz, c_ts, c_tstz, c_interval, c_uuid, c_json, c_jsonb, c_inet, c_cidr, c_mac, c_mac8, c_point, c_line, c_lseg, c_box,
  c_path, c_polygon, c_circle, c_tsvector, c_tsquery, c_int4range, c_tstzrange, c_multi, c_span, c_mood, c_pair, c_percent, c_ints, c_texts, c_oid, c_lsn)
values
  (-32768, 2147483647 / 2, -9223372036854775808, 'NaN', 12345678901234567890.0123456789, 'infinity', 1e-300, '-12.34', true, 'x', E'tab\there', E'line\nend \\ back \\. "q" ''s''',
   'ünï', '\x00ff5c0a', B'10101', B'101', '0044-03-15 BC', '24:00', '12:00+05:30', 'infinity', '2026-03-29 01:59:59.999999+00', '1 year 2 days 03:04:05.6',
   'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a" :  1}', '{"b": [1, null, "ü"]}', '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05',
   '(1.5,-2)', '{1,2,3}', '[(0,0),(1,1)]', '(2,2),(0,0)', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))', '<(0,0),5>', 'fat:2 cat:3A', 'fat & !rat',
   '[1,10)', '[2020-01-01 00:00+00,)', :'some', '(0.5,1.5]', 'glücklich', row(1, 'two, "three"'), 99.99, '{1,NULL,3}', '{{a,"b,c"},{"",NULL}}', 4294967295, '16/B374D848'),
  (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
   null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);

create table "Schéma ""quoted"""."Tåble = ' -- ""x""" ("Cölumn / ""1""" text primary key, "select" int not null default nextval('counter'));
insert into "Schéma ""quoted"""."Tåble = ' -- ""x""" values ('日本語', 1), (E'\\.', 2), ('', 3);
create table "-lead/slash = x"."-t" (a int);
insert into "-lead/slash = x"."-t" values (1), (2);

create table customers (id serial primary key, name text not null unique, mood mood default 'ok', note text);
create table orders (
  id bigserial primary key, customer int not null references customers on delete cascade, total numeric(12, 2) check (total >= 0),
  placed timestamptz not null default now(), tags text[]
);
create index orders_tags on orders using gin (tags);
\if :trigrams
create index customers_name on customers using gin (name gin_trgm_ops);
\endif
create unique index customers_glad on customers (lower(name)) where mood = 'glücklich';
create statistics orders_stats (dependencies) on customer, total from orders;
insert into customers (name) select 'customer ' || n from generate_series(1, 100) n;
insert into orders (customer, total, placed, tags)
  select n % 100 + 1, n % 1000 / 3.0, timestamptz '2026-01-01' + n * interval '1 second', array[md5(n::text), 'ü' || n] from generate_series(1, 2000) n;

create table big (id int primary key, word text, number double precision);
insert into big select n, md5(n::text), n / 7.0 from generate_series(1, :rows) n;
create index on big (word);

create table measured (at date not null, value int) partition by range (at);
create table measured_2025 partition of measured for values from ('2025-01-01') to ('2026-01-01');
create table measured_rest partition of measured default;
create index on measured (value);
insert into measured select date '2025-06-01' + n, n from generate_series(1, 400) n;
create unlogged table scratch (a int);
insert into scratch values (1);

create view recent as select o.id, c.name from orders o join customers c on c.id = o.customer where o.total > 100;
create materialized view totals as select customer, sum(total) as sum from orders group by customer;
create unique index on totals (customer);
create function twice(n int) returns int language sql immutable as 'select n * 2';
create function touch() returns trigger language plpgsql as $$ begin new.note = 'touched; ' || coalesce(new.note, ''); return new; end $$;
create procedure add_customer(name text) language plpgsql as $$ begin insert into customers (name) values (name); end $$;
create aggregate product (int) (sfunc = int4mul, stype = int, initcond = '1');
create operator @@@ (leftarg = int, rightarg = int, function = int4pl);
create trigger touched before update on customers for each row execute function touch();
create rule no_delete as on delete to measured_rest do instead nothing;
alter table orders enable row level security;
create policy mine on orders for select using (total < 500);
create cast (pair as text) with inout;
create collation german (provider = libc, locale = 'C');
create text search configuration ours (copy = simple);
create function on_ddl() returns event_trigger language plpgsql as $$ begin null; end $$;
create event trigger watch on ddl_command_end execute function on_ddl();
create publication ours for table orders;
comment on table orders is E'what they ordered; \'all of it\'';
comment on column customers.note is 'ünï';
do $$ begin create role "rôle ""x""" nologin; exception when duplicate_object or unique_violation then null; end $$;
grant select, insert on orders to "rôle ""x""";
alter default privileges in schema public grant select on tables to "rôle ""x""";
alter table big owner to "rôle ""x""";
do $$ begin execute format('alter database %I set work_mem to ''5MB''', current_database()); end $$;
do $$ begin execute format('comment on database %I is %L', current_database(), 'all of it'); end $$;

select lo_from_bytea(424242, '\xdeadbeef00');
select lo_from_bytea(424243, decode(repeat('00ff', 100000), 'hex'));
comment on large object 424242 is 'a large object';
analyze;
