-- +goose Up
-- Times are UTC microseconds. History is partitioned by its UUIDv7 ids. Ids of ours are UUIDs. Money is in minor units.

-- compatible_from: a release that knows no migration as new as this one must not run on the schema. A migration
-- that the release before it cannot live with sets it to its own number; the others leave it.
create table setting (id smallint primary key check (id = 1), version bigint not null, canary bytea, compatible_from bigint not null default 1);
insert into setting (id, version) values (1, 1);

create table merchant (
  id text primary key, name text not null unique, created_at bigint not null
);

create table store (
  id text primary key, merchant_id text not null references merchant (id), name text not null,
  representative boolean not null, tier_code text not null, webhook_first boolean not null,
  notice_secret bytea not null, created_at bigint not null
);
create index store_by_merchant on store (merchant_id);

create table channel (
  key text primary key, merchant_id text not null, store_id text not null references store (id),
  name text not null, provider text not null, mode text not null, mid text not null,
  payment_type text not null, methods text not null, stores text not null, base_url text not null,
  credentials bytea not null, senders text, unknown text not null, confirm boolean,
  token bytea, disabled boolean not null, created_at bigint not null
);
create index channel_by_mid on channel (provider, mid);

create table endpoint (
  id uuid primary key, merchant_id text not null, store_id text not null references store (id),
  name text not null, url text not null, mode text not null, events text not null,
  version text not null, content_type text not null, schedule text not null,
  paused boolean not null, secrets bytea not null, old_until bigint, in_flight bigint not null, created_at bigint not null
);
create unique index endpoint_by_name on endpoint (store_id, mode, name);

create table api_secret (
  id uuid primary key, merchant_id text not null, store_id text not null references store (id),
  name text not null, mode text not null, hash text not null unique, expires_at bigint,
  generation bigint not null, created_at bigint not null
);
create unique index api_secret_by_name on api_secret (store_id, name);

-- token is a keyed hash of the token that the key was given last.
create table api_key (
  id uuid primary key, merchant_id text not null, store_id text not null references store (id),
  key text not null unique, mode text not null, hash text not null, created_at bigint not null,
  token text unique, token_from bigint, token_until bigint
);

create table allow (
  store_id text not null references store (id), scope text not null, cidr text not null,
  primary key (store_id, scope, cidr)
);

create table payment (
  key uuid primary key, merchant_id text not null, store_id text not null, id text not null,
  mode text not null, state text not null, amount bigint not null, currency text not null,
  requested_at bigint not null, updated_at bigint not null, status_changed_at bigint not null,
  deadline bigint, channel_key text not null default '', method text not null default '', doc bytea not null
) with (fillfactor = 80);  -- a payment changes soon after it was made: in place, if there is room
create unique index payment_by_id on payment (store_id, id);
create index payment_by_deadline on payment (deadline, key) where deadline is not null;
-- Lists go along these, by either time, of each store, mode and state apart. Each takes some 100 bytes a payment and is
-- written when a payment is made and with each change of its state.
create index payment_by_request on payment (store_id, mode, state, requested_at, key);
create index payment_by_change on payment (store_id, mode, state, status_changed_at, key);

-- Names under which notices speak of a payment; and, in no channel, the ids of its attempts, by which people ask for it.
create table match_key (
  channel_key text not null, kind text not null, value text not null, payment_key uuid not null,
  store_id text not null,
  primary key (channel_key, kind, value, payment_key)
);
create index match_key_by_store on match_key (store_id, value) where kind = 'order';

-- Messages and deposits that were decided; never pruned.
create table notice_key (
  channel_key text not null, key text not null, notice_id uuid not null,
  primary key (channel_key, key)
);
create table deposit (
  channel_key text not null, key text not null, payment_key uuid not null, notice_id uuid not null,
  primary key (channel_key, key)
);

create table notice (
  id uuid primary key, received_at bigint not null, provider text not null, channel_key text not null,
  merchant_id text not null, store_id text not null, mode text not null, peer text not null,
  method text not null, path text not null, size bigint not null, truncated boolean not null,
  event text not null, kind text not null, order_id text not null, key text not null,
  amount bigint, currency text not null, occurred_at bigint, pg_tx text not null,
  verdict text not null, reason text not null, detail text not null, payment_key uuid
) partition by range (id);
create table notice_rest partition of notice default;
create index notice_by_channel on notice (channel_key, id);
create index notice_by_verdict on notice (verdict, id) where verdict <> 'applied';
create table notice_body (id uuid primary key, request bytea not null) partition by range (id);
create table notice_body_rest partition of notice_body default;

-- Verdicts of held notices that were decided again, numbered from 1: each was replaced by the next, the last by
-- the one in the notice's own row.
create table verdict (
  id uuid primary key, notice_id uuid not null, number bigint not null,
  replaced_at bigint not null, verdict text not null,
  reason text not null, detail text not null, payment_key uuid
) partition by range (id);
create table verdict_rest partition of verdict default;
create index verdict_by_notice on verdict (notice_id, number);

-- What waits for the PG, a registration or a person.
create table open_case (
  id uuid primary key, kind text not null, channel_key text not null, merchant_id text not null,
  store_id text not null, notice_key text not null, payment_key uuid, reason text not null,
  opened_at bigint not null, resends bigint not null
);
create unique index open_case_by_key on open_case (channel_key, notice_key) where notice_key <> '';
create index open_case_by_payment on open_case (payment_key) where payment_key is not null;
create table case_key (
  channel_key text not null, kind text not null, value text not null, case_id uuid not null,
  primary key (channel_key, kind, value, case_id)
);
create index case_key_by_case on case_key (case_id);

create table event (
  id uuid primary key, type text not null, at bigint not null, merchant_id text not null,
  store_id text not null, mode text not null, payment_key uuid, payment_id text not null,
  transaction_id text not null, cancellation_id text not null, billing_key text not null, state text not null,
  deposited boolean not null, concern text, notice_id uuid, fanout bigint not null, told boolean not null default true
) partition by range (id);
create table event_rest partition of event default;
-- For the list of what was paid and cancelled, and for listen sessions.
create index event_by_store on event (store_id, mode, id);

-- Machines of developers that hear of events by a connection of their own; floor is an id before which none is left to
-- be sent, and holder the connection that has the session.
create table listener (
  id uuid primary key, merchant_id text not null, store_id text not null, mode text not null, api_secret_id uuid not null,
  name text not null, forward text not null, events text not null, version text not null, content_type text not null,
  secret bytea not null, floor uuid not null, holder text not null, opened_at bigint not null, heard_at bigint not null
);
create unique index listener_by_name on listener (store_id, mode, api_secret_id, name);
create index listener_by_age on listener (heard_at);
-- What was resent by hand while a session was open, until its machine has tried it.
create table listener_repeat (
  listener_id uuid not null, id uuid not null, event_id uuid not null,
  primary key (listener_id, id)
);
-- Tries through sessions, as their machines reported them.
create table listener_try (
  listener_id uuid not null, item uuid not null, number bigint not null, event_id uuid not null, type text not null,
  payment_key uuid, payment_id text not null, at bigint not null, took bigint not null, url text not null,
  status bigint not null, error text not null, exchange bytea not null,
  primary key (listener_id, item, number)
);
create index listener_try_by_payment on listener_try (payment_key) where payment_key is not null;
create index listener_try_by_age on listener_try (at);

-- Hot: deliveries that are not over.
create table delivery (
  id uuid primary key, event_id uuid not null, payment_key uuid, merchant_id text not null,
  store_id text not null, mode text not null, type text not null, endpoint_id uuid,
  payment_id text not null default '', channel_key text not null default '',
  url text not null, target text not null, content_type text not null, body bytea not null,
  schedule text not null, state text not null, tries bigint not null, lane bigint not null,
  due_at bigint not null, ready_at bigint not null, lease text, manual boolean not null,
  original uuid, created_at bigint not null
);
create index delivery_ready on delivery (target, lane, ready_at) where state = 'waiting';
create index delivery_by_payment on delivery (payment_key) where payment_key is not null;
create index delivery_by_event on delivery (event_id);

create table delivery_end (
  id uuid primary key, event_id uuid not null, payment_key uuid, merchant_id text not null,
  store_id text not null, mode text not null, type text not null, endpoint_id uuid,
  payment_id text not null default '', channel_key text not null default '',
  url text not null, target text not null, content_type text not null, body bytea not null,
  schedule text not null, state text not null, tries bigint not null, manual boolean not null,
  original uuid, created_at bigint not null, ended_at bigint not null, outcome text not null
) partition by range (id);
create table delivery_end_rest partition of delivery_end default;
create index delivery_end_by_payment on delivery_end (payment_key) where payment_key is not null;

create table attempt (
  id uuid primary key, delivery_id uuid not null, webhook_id uuid not null, number bigint not null,
  at bigint not null, took bigint not null, url text not null, outcome text not null,
  status bigint not null, error text not null, cause text not null default '', endpoint_id uuid
) partition by range (id);
create table attempt_rest partition of attempt default;
create index attempt_by_webhook on attempt (webhook_id, id);
-- For the health of an endpoint, which looks at its newest tries.
create index attempt_by_endpoint on attempt (endpoint_id, id) where endpoint_id is not null;
create table attempt_body (id uuid primary key, exchange bytea not null) partition by range (id);
create table attempt_body_rest partition of attempt_body default;

-- Payments about which the PG is to be asked, and when.
create table inquiry (payment_key uuid primary key, due_at bigint not null, tries bigint not null);
create index inquiry_by_due on inquiry (due_at);

-- Accounts about which the PG is to be asked whether money came that no notice told of.
create table sweep (
  payment_key uuid primary key, channel_key text not null, due_at bigint not null, tries bigint not null, why text not null
);
create index sweep_by_channel on sweep (channel_key, due_at);

-- When some node last said that it serves, and a time in which none did whose accounts are not in sweep yet.
create table heartbeat (
  id integer primary key check (id = 1), at bigint not null, gap_from bigint, gap_until bigint
);

-- Billing keys; the PG's own are in the sealed doc. changed_at is when one came into its state, and
-- ended_at when it was of no use any more.
create table billing_key (
  key text primary key, merchant_id text not null, store_id text not null, mode text not null, channel_key text not null,
  state text not null, requested_at bigint not null, changed_at bigint not null, ended_at bigint, doc bytea not null
);
create index billing_key_by_request on billing_key (store_id, mode, requested_at, key);
create index billing_key_by_change on billing_key (store_id, mode, changed_at, key);
create index billing_key_by_end on billing_key (ended_at) where ended_at is not null;

-- Payments that are charged at a time. due_at is when one may be taken up; null once its attempt was begun, or it has
-- ended.
create table schedule (
  id uuid primary key, merchant_id text not null, store_id text not null, mode text not null, payment_id text not null,
  billing_key text not null, state text not null, created_at bigint not null, time_to_pay bigint not null,
  due_at bigint, started_at bigint, ended_at bigint, doc bytea not null
);
create index schedule_by_due on schedule (due_at) where due_at is not null;
create unique index schedule_by_payment on schedule (store_id, payment_id) where ended_at is null;
create index schedule_by_key on schedule (billing_key) where ended_at is null;
create index schedule_by_time on schedule (store_id, mode, time_to_pay, id);
create index schedule_by_end on schedule (ended_at) where ended_at is not null;

-- Requests that bear an Idempotency-Key: id and content are keyed hashes of the key and of what is asked. A run has
-- the request until it writes the answer, or, if it died, until the time given.
create table idempotency (
  id text primary key, content text not null, run uuid not null, begun_at bigint not null, until bigint not null, answer bytea
);
create index idempotency_by_age on idempotency (begun_at);

-- What merchants fixed of payments that had not begun; mode is the credential's.
create table preregistration (
  store_id text not null, payment_id text not null, mode text not null, amount bigint, tax_free bigint,
  currency text not null, at bigint not null,
  primary key (store_id, payment_id, mode)
);
create index preregistration_by_age on preregistration (at);

-- The books of the PG that is played here for test channels: what it knows of each order, sealed.
create table trial (
  channel_key text not null, id text not null, updated_at bigint not null, doc bytea not null,
  primary key (channel_key, id)
);
create index trial_by_age on trial (updated_at);

-- What was refused from an address (with IPv6, a /64) on a day: kept up to a cap, counted beyond.
create table refusal (
  day bigint not null, peer text not null, kept bigint not null, dropped bigint not null,
  primary key (day, peer)
);

-- How many bytes of refused requests are kept of a day.
create table refusal_day (day bigint primary key, bytes bigint not null);

-- Up to which id retention took rows of a table: of what is older, nobody may miss any.
create table pruned (name text primary key, upto uuid not null, at bigint not null);

-- When each kind of attention was last given.
create table attention (kind text primary key, at bigint not null);

-- Written to find out whether writing works: a row for each running process.
create table probe (id text primary key, at bigint not null);

-- The nodes that serve. Each renews its row; seen_at is by the database's clock.
create table node (
  id text primary key, name text not null, release text not null, began_at bigint not null, seen_at bigint not null
);
