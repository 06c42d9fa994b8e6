// What a test tried, step by step.
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { sentence, span } from '../lib/format'
import { Badge } from './Badge'
import './steps.css'

export function TestSteps({ steps }: { steps: readonly Schemas['TestStep'][] }) {
  const { t } = useTranslation()
  return (
    <ol className="test-steps">
      {steps.map((step) => (
        <li key={step.name}>
          <Badge tone={step.ok ? 'good' : 'bad'}>{t(step.ok ? 'storage.test.passed' : 'storage.test.failed')}</Badge>
          <span className="strong">{step.name}</span>
          <span className="quiet grow wrap-anywhere">{sentence(step.message)}</span>
          <span className="quiet small nowrap">{span(step.durationMs / 1000)}</span>
        </li>
      ))}
    </ol>
  )
}
