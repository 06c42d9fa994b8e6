import { describe, expect, it } from 'vitest'
import { command, labelsOf, namesOf, quoted, type Way } from './join'

const way: Way = { how: 'systemd', route: 'direct', master: 'https://backup.example/x', proxy: '', bastion: '', privateCa: false, caFile: '' }

describe('names of nodes', () => {
  it('come one a line, and in ranges', () => {
    expect(namesOf('web1\n web2 \n\nweb1, db[08-10]')).toEqual(['web1', 'web2', 'db08', 'db09', 'db10'])
  })

  it('are left alone when a range is none', () => {
    expect(namesOf('a[3-1]\nb[1-99]')).toEqual(['a[3-1]', 'b[1-99]'])
  })

  it('have labels parted by commas', () => {
    expect(labelsOf(' prod, db,,prod')).toEqual(['prod', 'db'])
  })
})

describe('the command', () => {
  it('never puts the token where a list of processes shows it', () => {
    for (const how of ['systemd', 'docker', 'foreground'] as const) {
      const text = command({ ...way, how }, 'abc123')
      expect(text).toContain("/token <<'END'\nabc123\nEND")
      expect(text.split('\n').filter((line) => line.includes('abc123'))).toEqual(['abc123'])
    }
  })

  it('reaches the master directly, by a proxy, with an authority of its own', () => {
    expect(command(way, 't')).toContain('master: https://backup.example/x\n')
    expect(command({ ...way, route: 'proxy', proxy: 'http://p:3128' }, 't')).toContain('proxyUrl: http://p:3128')
    expect(command({ ...way, privateCa: true, caFile: '/etc/ca.pem' }, 't')).toContain('caCertFile: /etc/ca.pem')
  })

  it('hops over a bastion', () => {
    const text = command({ ...way, route: 'bastion', bastion: 'me@hop' }, 't')
    expect(text).toContain('-L 18340:backup.example:443 me@hop')
    expect(text).toContain('master: https://127.0.0.1:18340/x')
  })

  it('quotes what a shell would read', () => {
    expect(quoted("a b'c")).toBe("'a b'\\''c'")
    expect(quoted('me@hop')).toBe('me@hop')
  })
})
