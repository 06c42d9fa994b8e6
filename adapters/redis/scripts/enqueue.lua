-- ARGV: subject, node, lane, spec, lease, now, not_before, expires_at or nothing. Answers the id.
-- An id is the time or the one behind the last, whichever is more: a Redis that lost everything gives no id twice.
local subject, node, lane, spec, lease, now, not_before, expires_at = unpack(ARGV)
local known = call('GET', key('subject', subject))
if known then
  return known
end
local id = now
if tonumber(now) > tonumber(call('GET', key('last')) or '0') then
  call('SET', key('last'), now)
else
  id = string.format('%.0f', call('INCR', key('last')))
end
call('SET', key('subject', subject), id)
call('HSET', key('command', id), 'id', id, 'subject', subject, 'node_id', node, 'lane', lane, 'spec', spec, 'state', 'pending',
  'lease', lease, 'created_at', now, 'not_before', not_before, 'acknowledged', '0')
if expires_at ~= '' then
  call('HSET', key('command', id), 'expires_at', expires_at)
end
into_waiting(id, node, lane, not_before, expires_at)
return id
