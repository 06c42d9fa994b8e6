// What the task will do, in words, while it is filled in.
import { useTranslation } from 'react-i18next'
import { useNodeNames } from '../../../api/nodes'
import { useTargetNames } from '../../../api/targets'
import { listed } from '../../../lib/format'
import { useSentence } from '../../../lib/useSentence'
import { lines, type Draft } from './draft'

const RULES = ['keepLast', 'keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly'] as const

export function Review({ draft }: { draft: Draft }) {
  const { t } = useTranslation()
  const node = useNodeNames()
  const target = useTargetNames()
  const sentence = useSentence()
  const paths = lines(draft.kind === 'file' || draft.kind === 'sqlite' ? draft.paths : draft.only)
  const keeps = RULES.filter((rule) => draft.retention[rule] > 0)
  return (
    <aside className="panel padded review stack tight" aria-label={t('form.review')}>
      <h2>{t('form.review')}</h2>
      <p>{t('form.says.what', { what: paths.length > 0 ? listed(paths.slice(0, 4)) : t(`source.${draft.kind}`), node: draft.place === 'pool' ? draft.pool : (node(draft.nodeId) ?? '') })}</p>
      {draft.targetIds.length > 0 && <p>{t('form.says.where', { where: listed(draft.targetIds.map(target)) })}</p>}
      <p>{draft.scheduled ? sentence(draft.cron, draft.timezone) : t('tasks.byHand')}</p>
      <p>{keeps.length === 0 ? t('retention.everything') : t('form.says.keeps', { what: listed(keeps.map((rule) => t(`retention.says.${rule}`, { count: draft.retention[rule] }))) })}</p>
      <p className="quiet">{t(draft.encrypt ? 'form.says.encrypted' : 'form.says.open')}</p>
    </aside>
  )
}
