-- ARGV: node, now. Answers 1 when the node was not noted as online before.
local node, now = unpack(ARGV)
local last = call('HGET', key('heard'), node)
local older = last and tonumber(last) > tonumber(now)
if call('ZSCORE', key('online'), node) then
  if not older then
    call('HSET', key('heard'), node, now)
    call('ZADD', key('online'), now, node)
  end
  return 0
end
if older then
  return 0
end
call('HSET', key('heard'), node, now)
call('ZADD', key('online'), now, node)
return 1
