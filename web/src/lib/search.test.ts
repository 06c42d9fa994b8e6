import { describe, expect, it } from 'vitest'
import { choice, matches, number, text } from './search'

describe('what stands in an address', () => {
  it('is read with care', () => {
    expect(number('12')).toBe(12)
    expect(number(0)).toBe(0)
    expect([number('x'), number(-1), number(1.5), number(''), number(null)]).toEqual([undefined, undefined, undefined, undefined, undefined])
    expect(text('')).toBeUndefined()
    expect(text(7)).toBe('7')
    expect(choice('b', ['a', 'b'])).toBe('b')
    expect(choice('c', ['a', 'b'])).toBeUndefined()
  })
})

describe('a search', () => {
  it('wants every word, wherever it stands', () => {
    expect(matches('WEB prod', ['web1', 'prod'])).toBe(true)
    expect(matches('web test', ['web1', 'prod'])).toBe(false)
  })

  it('finds everything when nothing is asked', () => {
    expect(matches(undefined, [])).toBe(true)
    expect(matches('', ['a'])).toBe(true)
  })
})
