// The commands of nodes that were just made; each is watched until its agent calls.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../../api/client'
import { useNode } from '../../api/nodes'
import { Badge } from '../../ui/Badge'
import { CopyLine } from '../../ui/Copy'
import { Note } from '../../ui/Note'
import { Section } from '../../ui/Page'
import { NodeBadge } from '../../ui/Status'
import { command, type Way } from './join'

const WATCH_MS = 2_000

export function Joining({ made, way }: { made: readonly Schemas['NodeToken'][]; way: Way }) {
  const { t } = useTranslation()
  return (
    <div className="stack">
      <Note tone="warn"><p className="strong">{t('nodes.once')}</p><p>{t('join.once')}</p></Note>
      {way.how === 'systemd' && <p className="quiet small">{t('join.unit')}</p>}
      {made.map((node) => <One key={node.id} node={node} way={way} open={made.length <= 3} />)}
    </div>
  )
}

function One({ node, way, open }: { node: Schemas['NodeToken']; way: Way; open: boolean }) {
  const { t } = useTranslation()
  const seen = useNode(node.id, WATCH_MS).data
  const text = command(way, node.token)
  return (
    <Section title={node.name} beside={<span role="status">{seen?.status === 'online' ? <span className="row"><NodeBadge status="online" /><Link to="/tasks/new" search={{ node: node.id }} className="small">{t('join.firstTask')}</Link></span> : <Badge tone="busy">{t('join.waiting')}</Badge>}</span>}>
      <details className="fold" open={open}>
        <summary>{t('join.command')}</summary>
        <CopyLine text={text} name={t('join.commandOf', { name: node.name })} />
      </details>
    </Section>
  )
}
