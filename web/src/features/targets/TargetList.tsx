// Storage: a card each, with how it does and what lies on it.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Target, TargetType } from '../../api/client'
import { useMay } from '../../api/people'
import { useTargets, useTargetTypes, useUsage } from '../../api/targets'
import { bytes, sentence } from '../../lib/format'
import { Badge } from '../../ui/Badge'
import { ButtonLink } from '../../ui/Button'
import { Empty } from '../../ui/Empty'
import { Failure } from '../../ui/Failure'
import { PageHead } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
import { Ago } from '../../ui/Time'
import { groupOf } from './fields'
import { KindMark } from './KindMark'
import './targets.css'

export function TargetList() {
  const { t } = useTranslation()
  const admin = useMay('admin')
  const targets = useTargets()
  const types = useTargetTypes().data
  const order = (target: Target) => (target.lastTest ? (target.lastTest.ok ? 2 : 0) : 1)
  const sorted = [...(targets.data ?? [])].sort((a, b) => order(a) - order(b) || a.name.localeCompare(b.name))
  return (
    <div className="stack wide">
      <PageHead title={t('nav.storage')} lead={t('storage.lead')} actions={admin && <ButtonLink to="/storage/new" look="main" icon="plus">{t('storage.add')}</ButtonLink>} />
      {targets.isError && !targets.data && <Failure error={targets.error} retry={() => targets.refetch()} />}
      {targets.isPending && <div className="panel"><Skeleton lines={4} /></div>}
      {targets.data?.length === 0 && <div className="panel"><Empty icon="storage" title={t('storage.empty.title')} action={admin && <ButtonLink to="/storage/new" look="main">{t('storage.add')}</ButtonLink>}>{t('storage.empty.lead')}</Empty></div>}
      <ul className="cards">{sorted.map((target) => <li key={target.id}><Card target={target} type={types?.find((type) => type.type === target.type)} /></li>)}</ul>
    </div>
  )
}

function Card({ target, type }: { target: Target; type: TargetType | undefined }) {
  const { t } = useTranslation()
  const usage = useUsage(target.id).data
  const test = target.lastTest
  return (
    <Link to="/storage/$id" params={{ id: String(target.id) }} className="panel target-card">
      <div className="row">
        <KindMark title={type?.title ?? target.type} group={type ? groupOf(type) : 'cloud'} />
        <div className="grow">
          <h2 className="wrap-anywhere">{target.name}</h2>
          <p className="quiet small">{type?.title ?? target.type}</p>
        </div>
        <Badge tone={test ? (test.ok ? 'good' : 'bad') : 'idle'}>{t(test ? (test.ok ? 'storage.healthy' : 'storage.sick') : 'storage.untested')}</Badge>
      </div>
      {test && !test.ok && <p className="tone-text-bad small target-cause">{sentence(test.message)}</p>}
      <div className="target-figure">
        {usage ? <><span className="target-size">{bytes(usage.storedBytes)}</span><span className="quiet small">{t('storage.copies', { count: usage.copies })}</span></> : <span className="bone" />}
      </div>
      <p className="quiet small">{test ? <>{t('storage.testedAt')} <Ago at={test.at} /></> : t('storage.neverTested')}</p>
    </Link>
  )
}
