-- ARGV: id, lease, state, outcome, now. Answers 1 when it was done, 0 when the lease is lost.
local id, lease, state, outcome, now = unpack(ARGV)
if not is_held(id, lease) then
  return 0
end
to_its_end(id, state, now)
call('HSET', key('command', id), 'outcome', outcome)
return 1
