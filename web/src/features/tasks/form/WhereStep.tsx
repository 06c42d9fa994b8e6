// Where copies go: one target or several.
import { useTranslation } from 'react-i18next'
import { useTargetActions, useTargets, useTargetTypes } from '../../../api/targets'
import { Badge } from '../../../ui/Badge'
import { Button, ButtonLink } from '../../../ui/Button'
import { Empty } from '../../../ui/Empty'
import { Failure } from '../../../ui/Failure'
import { CheckField } from '../../../ui/Field'
import { Note } from '../../../ui/Note'
import { Skeleton } from '../../../ui/Skeleton'
import { Ago } from '../../../ui/Time'
import type { StepProps } from './TaskForm'

export function WhereStep({ draft, change, wrong }: StepProps) {
  const { t } = useTranslation()
  const targets = useTargets()
  const types = useTargetTypes().data
  const { test } = useTargetActions()
  if (targets.isPending) return <Skeleton />
  if (targets.isError) return <Failure error={targets.error} retry={() => targets.refetch()} />
  if (targets.data.length === 0) return <Empty icon="storage" title={t('storage.empty.title')} action={<ButtonLink to="/storage/new" look="main">{t('storage.add')}</ButtonLink>}>{t('storage.empty.lead')}</Empty>
  return (
    <div className="stack">
      <p className="quiet">{t('form.targetsLead')}</p>
      <ul className="stack">
        {targets.data.map((target) => {
          const on = draft.targetIds.includes(target.id)
          return (
            <li key={target.id} className={on ? 'pick-line on' : 'pick-line'}>
              <CheckField label={target.name} hint={types?.find((type) => type.type === target.type)?.title ?? target.type} checked={on} onChecked={(checked) => { change({ targetIds: checked ? [...draft.targetIds, target.id] : draft.targetIds.filter((id) => id !== target.id) }) }} />
              <span className="row">
                {target.lastTest ? <><Badge tone={target.lastTest.ok ? 'good' : 'bad'}>{t(target.lastTest.ok ? 'storage.healthy' : 'storage.sick')}</Badge><span className="quiet small"><Ago at={target.lastTest.at} /></span></> : <Badge tone="idle">{t('storage.untested')}</Badge>}
                <Button look="plain" icon="refresh" busy={test.isPending && test.variables.id === target.id} onClick={() => { test.mutate({ id: target.id, ...(draft.place === 'node' && target.reach !== 'master' && { nodeId: draft.nodeId }) }) }}>{t('storage.test.action')}</Button>
              </span>
            </li>
          )
        })}
      </ul>
      {test.error && <Failure error={test.error} />}
      {draft.targetIds.length === 1 && <Note tone="idle"><p>{t('form.secondTarget')}</p></Note>}
      {wrong.get('targetIds') && <p className="tone-text-bad small">{wrong.get('targetIds')}</p>}
    </div>
  )
}
