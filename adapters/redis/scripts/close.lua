-- ARGV: id, now. Answers 1 when it was ended, 0 when it was at its end already or is not there.
local id, now = unpack(ARGV)
return to_its_end(id, 'cancelled', now) and 1 or 0
