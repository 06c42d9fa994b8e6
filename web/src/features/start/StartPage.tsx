// First steps: the recovery kit, a first target, a first task. What is done is read from the master, so one can leave and come back.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useTargets } from '../../api/targets'
import { useTasks } from '../../api/tasks'
import { Button, ButtonLink } from '../../ui/Button'
import { Failure } from '../../ui/Failure'
import { CheckField } from '../../ui/Field'
import { Icon } from '../../ui/Icon'
import { PageHead } from '../../ui/Page'
import { RecoveryKit } from '../../ui/RecoveryKit'
import { Skeleton } from '../../ui/Skeleton'
import { FirstTarget } from './FirstTarget'
import { FirstTask } from './FirstTask'
import { kitIsKept, noteKit } from './kit'
import './start.css'

export function StartPage() {
  const { t } = useTranslation()
  const targets = useTargets()
  const tasks = useTasks()
  const [kept, setKept] = useState(kitIsKept)
  if (targets.isError) return <Failure error={targets.error} retry={() => targets.refetch()} />
  if (!targets.data || !tasks.data) return <Skeleton lines={6} />
  const target = targets.data.find((one) => one.lastTest?.ok)
  const task = tasks.data[0]
  const step = !kept ? 0 : !target ? 1 : !task ? 2 : 3
  return (
    <div className="stack wide start">
      <PageHead title={t('start.title')} lead={t('start.lead')} />
      <ol className="stack">
        <Step number={1} title={t('start.kit.title')} done={kept} open={step === 0}>
          <Kit onKept={() => { noteKit(); setKept(true) }} />
        </Step>
        <Step number={2} title={t('start.target.title')} done={target !== undefined} open={step === 1} summary={target && t('start.target.have', { name: target.name })}>
          <FirstTarget waiting={targets.data[0]} />
        </Step>
        <Step number={3} title={t('start.task.title')} done={task !== undefined} open={step === 2} summary={task && t('start.task.have', { name: task.name })}>
          {target && <FirstTask targetId={target.id} />}
        </Step>
      </ol>
      {step === 3 && <div><ButtonLink to="/" look="main">{t('start.finish')}</ButtonLink></div>}
    </div>
  )
}

interface StepProps {
  number: number
  title: string
  done: boolean
  open: boolean
  summary?: string | undefined
  children: React.ReactNode
}

function Step({ number, title, done, open, summary, children }: StepProps) {
  const { t } = useTranslation()
  return (
    <li className={open ? 'panel start-step open' : 'panel start-step'} aria-current={open ? 'step' : undefined}>
      <div className="row">
        <span className={done ? 'start-number done' : 'start-number'}>{done ? <Icon name="check" /> : number}</span>
        <h2 className="grow">{title}{done && <span className="unseen">: {t('start.done')}</span>}</h2>
        {done && summary && <span className="quiet small">{summary}</span>}
      </div>
      {open && <div className="start-body">{children}</div>}
    </li>
  )
}

function Kit({ onKept }: { onKept: () => void }) {
  const { t } = useTranslation()
  const [checked, setChecked] = useState(false)
  return (
    <div className="stack">
      <RecoveryKit />
      <CheckField label={t('start.kit.check')} checked={checked} onChecked={setChecked} />
      <div><Button look="main" disabled={!checked} onClick={onKept}>{t('start.kit.next')}</Button></div>
    </div>
  )
}
