// The form of a task, in steps that can be taken in any order once they are whole.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fieldsOf, type Task } from '../../../api/client'
import { Button } from '../../../ui/Button'
import { Failure } from '../../../ui/Failure'
import { Section } from '../../../ui/Page'
import { lacks, stepOf, STEPS, type Draft, type Step } from './draft'
import { KeepStep } from './KeepStep'
import { OptionsStep } from './OptionsStep'
import { Review } from './Review'
import { WhatStep } from './WhatStep'
import { WhenStep } from './WhenStep'
import { WhereStep } from './WhereStep'
import './form.css'

export interface StepProps {
  draft: Draft
  change: (part: Partial<Draft>) => void
  wrong: ReadonlyMap<string, string>
  /** The task that is changed. */
  task: Task | undefined
}

interface Props {
  start: Draft
  task?: Task
  busy: boolean
  error: Error | null
  action: string
  onSubmit: (draft: Draft) => void
}

const PARTS: Record<Step, (props: StepProps) => React.ReactNode> = { what: WhatStep, where: WhereStep, when: WhenStep, keep: KeepStep, options: OptionsStep }

export function TaskForm({ start, task, busy, error, action, onSubmit }: Props) {
  const { t } = useTranslation()
  const [draft, setDraft] = useState(start)
  const [step, setStep] = useState<Step>('what')
  const [seen, setSeen] = useState<ReadonlySet<Step>>(new Set(task ? STEPS : ['what']))
  const wrong = fieldsOf(error)
  const badSteps = new Set([...wrong.keys()].map(stepOf))
  const place = STEPS.indexOf(step)
  const missing = lacks(draft, step)
  const whole = STEPS.every((one) => lacks(draft, one).length === 0)
  const last = place === STEPS.length - 1
  function go(next: Step) {
    setSeen(new Set([...seen, next]))
    setStep(next)
  }
  const Part = PARTS[step]
  return (
    <form
      className="form-columns"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        const next = STEPS[place + 1]
        if (!last && !task && next) { if (missing.length === 0) go(next) } else if (whole) onSubmit(draft)
      }}
    >
      <ol className="form-steps" aria-label={t('form.steps')}>
        {STEPS.map((one, index) => (
          <li key={one}>
            <button type="button" className="form-step" aria-current={one === step ? 'step' : undefined} disabled={!seen.has(one) && STEPS.slice(0, index).some((before) => lacks(draft, before).length > 0)} onClick={() => { go(one) }}>
              <span className={badSteps.has(one) ? 'form-number bad' : 'form-number'}>{index + 1}</span>
              {t(`form.step.${one}`)}
            </button>
          </li>
        ))}
      </ol>
      <div className="stack wide">
        <Section title={t(`form.step.${step}`)}>
          <div className="stack wide"><Part draft={draft} change={(part) => { setDraft((before) => ({ ...before, ...part })) }} wrong={wrong} task={task} /></div>
        </Section>
        {error && <Failure error={error} />}
        <div className="row between">
          {place > 0 ? <Button icon="left" onClick={() => { go(STEPS[place - 1] ?? 'what') }}>{t('back')}</Button> : <span />}
          <div className="row">
            {missing.length > 0 && <span className="quiet small">{t(`form.lacks.${missing[0] ?? 'name'}`)}</span>}
            {!last && <Button {...(task ? { onClick: () => { go(STEPS[place + 1] ?? 'options') } } : { type: 'submit', look: 'main' })} disabled={missing.length > 0}>{t('next')}</Button>}
            {(last || task) && <Button type="submit" look="main" busy={busy} disabled={!whole}>{action}</Button>}
          </div>
        </div>
      </div>
      <Review draft={draft} />
    </form>
  )
}
