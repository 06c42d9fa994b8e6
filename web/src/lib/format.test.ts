import { describe, expect, it } from 'vitest'
import { ago, bytes, exact, secondsBetween, sentence, span } from './format'

describe('figures', () => {
  it.each([[0, '0 B'], [999, '999 B'], [1536, '1.50 KiB'], [10 * 1024 * 1024, '10.0 MiB'], [5e12, '4.55 TiB']])('%d bytes are %s', (size, text) => {
    expect(bytes(size)).toBe(text)
  })

  it.each([[0.4, '0.4 sec'], [59, '59 sec'], [61, '1 min 1 sec'], [3_700, '1 hr 1 min'], [90_000, '1 day 1 hr']])('%d seconds are %s', (seconds, text) => {
    expect(span(seconds)).toBe(text)
  })

  it('say how far an instant is', () => {
    const now = Date.parse('2026-11-28T12:00:00Z')
    expect(ago('2026-11-28T11:59:30Z', now)).toBe('30 seconds ago')
    expect(ago('2026-11-28T15:00:00Z', now)).toBe('in 3 hours')
    expect(ago('2026-11-27T12:00:00Z', now)).toBe('yesterday')
  })

  it('count to now when there is no end', () => {
    expect(secondsBetween('2026-11-28T12:00:00Z', null, Date.parse('2026-11-28T12:00:05Z'))).toBe(5)
  })

  it('give the exact instant in UTC', () => {
    expect(exact('2026-11-28T13:00:00+01:00')).toBe('2026-11-28 12:00:00 UTC')
  })

  it('make sentences of what the master says', () => {
    expect(sentence('the disk is full')).toBe('The disk is full.')
    expect(sentence('why?')).toBe('Why?')
  })
})
