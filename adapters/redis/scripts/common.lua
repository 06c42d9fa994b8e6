-- What every script begins with: the names of keys, and how a command moves between the indexes.
-- A command is in the indexes of its state alone: pending -> waiting, due, pending, expiring; claimed -> held, claimed; ended -> ended.

local call = redis.call

local function key(...)
  return KEYS[1] .. ':' .. table.concat({ ... }, ':')
end

local function fields(id, ...)
  return unpack(call('HMGET', key('command', id), ...))
end

local function everything(id)
  return call('HGETALL', key('command', id))
end

-- into_waiting and out_of_waiting: the indexes of a pending command.
local function into_waiting(id, node, lane, not_before, expires_at)
  call('ZADD', key('waiting', node, lane), id, id)
  call('ZADD', key('due'), 'LT', not_before, node .. ' ' .. lane)
  call('ZADD', key('pending'), id, id)
  if expires_at and expires_at ~= '' then
    call('ZADD', key('expiring'), expires_at, id)
  end
end

local function out_of_waiting(id, node, lane)
  call('ZREM', key('waiting', node, lane), id)
  if call('EXISTS', key('waiting', node, lane)) == 0 then
    call('ZREM', key('due'), node .. ' ' .. lane)
  end
  call('ZREM', key('pending'), id)
  call('ZREM', key('expiring'), id)
end

-- out_of_hands: the indexes of a claimed command.
local function out_of_hands(id, node)
  call('ZREM', key('held', node), id)
  call('ZREM', key('claimed'), id)
end

-- Brings a pending or claimed command to its end. False when it is not one.
local function to_its_end(id, state, now)
  local before, node, lane = fields(id, 'state', 'node_id', 'lane')
  if before == 'pending' then
    out_of_waiting(id, node, lane)
  elseif before == 'claimed' then
    out_of_hands(id, node)
  else
    return false
  end
  call('HSET', key('command', id), 'state', state, 'finished_at', now)
  call('ZADD', key('ended'), now, id)
  return true
end

-- True when the command is claimed under this lease. Both are text: a lease is compared, never reckoned with.
local function is_held(id, lease)
  local state, current = fields(id, 'state', 'lease')
  return state == 'claimed' and current == lease
end
