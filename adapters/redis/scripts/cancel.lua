-- ARGV: id, now. Answers 'before_start', 'requested' or 'too_late'.
local id, now = unpack(ARGV)
local state = fields(id, 'state')
if state ~= 'pending' and state ~= 'claimed' then
  return 'too_late'
end
call('HSETNX', key('command', id), 'cancel_requested_at', now)
if state == 'claimed' then
  return 'requested'
end
to_its_end(id, 'cancelled', now)
return 'before_start'
