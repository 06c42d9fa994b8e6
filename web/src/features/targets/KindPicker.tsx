// All kinds of storage, searched and by group.
import { useTranslation } from 'react-i18next'
import { useTargetTypes } from '../../api/targets'
import { matches } from '../../lib/search'
import { Empty } from '../../ui/Empty'
import { Failure } from '../../ui/Failure'
import { SearchField } from '../../ui/Field'
import { Skeleton } from '../../ui/Skeleton'
import { KindMark } from './KindMark'
import { groupOf, GROUPS } from './fields'

export function KindPicker({ query, onQuery, onPick }: { query: string; onQuery: (query: string) => void; onPick: (kind: string) => void }) {
  const { t } = useTranslation()
  const types = useTargetTypes()
  if (types.isPending) return <div className="panel"><Skeleton lines={8} /></div>
  if (types.isError) return <Failure error={types.error} retry={() => types.refetch()} />
  const found = types.data.filter((type) => matches(query, [type.title, type.type, t(`storage.group.${groupOf(type)}`)]))
  return (
    <div className="stack wide">
      <div className="row"><SearchField value={query} onValue={onQuery} name={t('storage.searchKinds')} /><span className="quiet small" role="status">{t('storage.kinds', { count: found.length })}</span></div>
      {found.length === 0 && <div className="panel"><Empty icon="search" title={t('noMatch')}>{t('storage.noKind')}</Empty></div>}
      {GROUPS.map((group) => {
        const members = found.filter((type) => groupOf(type) === group)
        return members.length > 0 && (
          <section key={group} className="stack tight" aria-label={t(`storage.group.${group}`)}>
            <h2>{t(`storage.group.${group}`)}</h2>
            <p className="quiet small">{t(`storage.groupLead.${group}`)}</p>
            <ul className="kinds">
              {members.map((type) => (
                <li key={type.type}>
                  <button type="button" className="kind panel" onClick={() => { onPick(type.type) }}><KindMark title={type.title} group={group} /><span>{type.title}</span></button>
                </li>
              ))}
            </ul>
          </section>
        )
      })}
    </div>
  )
}
