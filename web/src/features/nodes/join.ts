// The command that makes a server a node.

export interface Way {
  how: 'foreground' | 'systemd' | 'docker'
  route: 'direct' | 'proxy' | 'bastion'
  /** Where agents reach the master. */
  master: string
  proxy: string
  /** `user@host` of the machine to hop over. */
  bastion: string
  privateCa: boolean
  caFile: string
}

/** Names out of a text, one a line; ranges as `web[1-3]` stand for several. */
export function namesOf(text: string): string[] {
  const names = text.split(/[\n,]/).map((line) => line.trim()).filter(Boolean)
  return [...new Set(names.flatMap(spread))]
}

function spread(name: string): string[] {
  const found = /^(.*)\[(\d+)-(\d+)\](.*)$/.exec(name)
  if (!found) return [name]
  const [, before = '', first = '', last = '', behind = ''] = found
  const from = Number(first)
  const count = Number(last) - from + 1
  if (count < 1 || count > 50) return [name]
  return Array.from({ length: count }, (_, index) => `${before}${String(from + index).padStart(first.length, '0')}${behind}`)
}

export function labelsOf(text: string): string[] {
  return [...new Set(text.split(',').map((label) => label.trim()).filter(Boolean))]
}

const BASTION_PORT = 18340

/** A text as one word of a shell. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** Where the agent itself connects to: over a bastion that is this host's end of the tunnel. */
function seen(way: Way): string {
  if (way.route !== 'bastion') return way.master
  const url = new URL(way.master)
  return `${url.protocol}//127.0.0.1:${BASTION_PORT}${url.pathname === '/' ? '' : url.pathname}`
}

function tunnel(way: Way): string {
  const url = new URL(way.master)
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return `ssh -fN -o ExitOnForwardFailure=yes -L ${BASTION_PORT}:${url.hostname}:${port} ${quoted(way.bastion)}`
}

/** What to paste on the server, as one piece. The token goes into a file that only root reads, never into a list of processes. */
export function command(way: Way, token: string): string {
  const lines = way.route === 'bastion' ? [tunnel(way)] : []
  const settings = [`master: ${seen(way)}`, 'tokenFile: token', ...(way.route === 'proxy' && way.proxy !== '' ? [`proxyUrl: ${way.proxy}`] : []), ...(way.privateCa && way.caFile !== '' ? [`caCertFile: ${way.caFile}`] : [])]
  const folder = way.how === 'foreground' ? '~/.backupx-agent' : '/etc/backupx'
  const sudo = way.how === 'foreground' ? '' : 'sudo '
  lines.push(
    `${sudo}install -d -m 0700 ${folder}`,
    `${sudo}install -m 0600 /dev/stdin ${folder}/token <<'END'\n${token}\nEND`,
    `${sudo}install -m 0600 /dev/stdin ${folder}/agent.yaml <<'END'\n${settings.join('\n')}\nEND`,
  )
  switch (way.how) {
    case 'foreground':
      lines.push(`backupx agent --config ${folder}/agent.yaml`)
      break
    case 'systemd':
      lines.push('sudo systemctl enable --now backupx-agent')
      break
    case 'docker':
      lines.push(`sudo docker run -d --name backupx-agent --restart always --network host --user 0 -v /etc/backupx:/etc/backupx:ro${way.privateCa && way.caFile !== '' && !way.caFile.startsWith('/etc/backupx/') ? ` -v ${quoted(way.caFile)}:${quoted(way.caFile)}:ro` : ''} -v /:/host:ro backupx agent --config /etc/backupx/agent.yaml`)
      break
  }
  return lines.join('\n')
}
