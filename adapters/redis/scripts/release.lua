-- ARGV: id, lease, not_before. Answers 1 when it was done, 0 when the lease is lost.
local id, lease, not_before = unpack(ARGV)
if not is_held(id, lease) then
  return 0
end
local node, lane, expires_at = fields(id, 'node_id', 'lane', 'expires_at')
out_of_hands(id, node)
into_waiting(id, node, lane, not_before, expires_at)
call('HSET', key('command', id), 'state', 'pending', 'not_before', not_before, 'acknowledged', '0')
call('HDEL', key('command', id), 'seen_at')
return 1
