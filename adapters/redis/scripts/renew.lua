-- ARGV: now, node or nothing for any, then pairs of id and lease. Answers for each pair: 'lost', 'held' or 'cancel'.
-- A sign of life that arrives behind a later one does not turn the clock back.
local now, node = ARGV[1], ARGV[2]
local answers = {}
for i = 3, #ARGV, 2 do
  local id, lease = ARGV[i], ARGV[i + 1]
  local owner, seen_at, cancel = fields(id, 'node_id', 'seen_at', 'cancel_requested_at')
  if is_held(id, lease) and (node == '' or node == owner) then
    if not seen_at or tonumber(seen_at) < tonumber(now) then
      seen_at = now
    end
    call('HSET', key('command', id), 'seen_at', seen_at, 'acknowledged', '1')
    call('ZADD', key('claimed'), 'GT', now, id)
    table.insert(answers, cancel and 'cancel' or 'held')
  else
    table.insert(answers, 'lost')
  end
end
return answers
