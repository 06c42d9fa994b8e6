// Whether a target still holds what the runs say, and when that was last looked at.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../../api/client'
import { useMay } from '../../api/people'
import { useNodeNames } from '../../api/nodes'
import { useTargetActions } from '../../api/targets'
import { sentence } from '../../lib/format'
import { Badge } from '../../ui/Badge'
import { Button } from '../../ui/Button'
import { Failure } from '../../ui/Failure'
import { Section } from '../../ui/Page'
import { Ago } from '../../ui/Time'
import { Import } from './Import'

type Last = Schemas['TargetCheck']

export function Check({ target }: { target: Schemas['Target'] }) {
  const { t } = useTranslation()
  const operator = useMay('operator')
  const admin = useMay('admin')
  const { check } = useTargetActions()
  const last = target.lastCheck
  const running = last != null && !last.finishedAt
  return (
    <Section title={t('storage.check.title')} beside={<div className="row">
      {admin && <Import target={target} />}
      {operator && <Button icon="refresh" busy={check.isPending || running} onClick={() => { check.mutate(target.id) }}>{t('storage.check.action')}</Button>}
    </div>}>
      <div className="stack tight">
        {check.error && <Failure error={check.error} />}
        {last ? <Found last={last} /> : <p className="quiet">{t('storage.check.never')}</p>}
        <p className="quiet small">{t('storage.check.lead')}</p>
      </div>
    </Section>
  )
}

function Found({ last }: { last: Last }) {
  const { t } = useTranslation()
  const nameOf = useNodeNames()
  const tone = last.lost > 0 ? 'bad' : last.failure || last.unreached.length > 0 ? 'warn' : 'good'
  return (
    <>
      <p className="row">
        <Badge tone={tone}>{last.lost > 0 ? t('storage.check.lost', { count: last.lost }) : t(tone === 'good' ? 'storage.check.whole' : 'storage.check.partly')}</Badge>
        <span>{t('storage.check.looked', { count: last.checked })}</span>
        <span className="quiet small">{last.finishedAt ? <Ago at={last.finishedAt} /> : t('storage.check.running')}</span>
      </p>
      {last.lost > 0 && <p><Link to="/records" search={{ status: 'degraded' }}>{t('storage.check.repair')}</Link></p>}
      {last.failure && <p className="tone-text-bad">{sentence(last.failure)}</p>}
      {last.unreached.length > 0 && <p className="quiet">{t('storage.check.unreached', { nodes: last.unreached.map((id) => nameOf(id) ?? `#${id}`).join(', ') })}</p>}
    </>
  )
}
