import { expect, it } from 'vitest'
import { keysIn } from './kit'

it('finds the keys of a kit among its comments', () => {
  const kit = '# BackupX recovery kit\n# root key: c2VjcmV0\n# public key: age1abc\nAGE-SECRET-KEY-1OWN\n# further\nAGE-SECRET-KEY-1OLD\nAGE-SECRET-KEY-1OWN\n'
  expect(keysIn(kit)).toEqual(['AGE-SECRET-KEY-1OWN', 'AGE-SECRET-KEY-1OLD'])
  expect(keysIn('')).toEqual([])
})
