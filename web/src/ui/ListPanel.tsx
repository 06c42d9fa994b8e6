// A list in all its states: on its way, refused, empty, without a match, there; and how to get more of it.
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { count } from '../lib/format'
import { Button } from './Button'
import { Empty } from './Empty'
import { Failure } from './Failure'
import { Skeleton } from './Skeleton'

interface Props {
  query: { isPending: boolean; error: Error | null; refetch: () => unknown }
  /** How many there are at all; nothing while that is not known. */
  all: number | undefined
  /** How many fit the filters, and how many of those are drawn. */
  found: number
  shown: number
  empty: ReactNode
  /** The way back to everything, when nothing fits. */
  clear: ReactNode
  more?: { act: () => void; busy?: boolean; name?: string } | undefined
  children: ReactNode
}

export function ListPanel({ query, all, found, shown, empty, clear, more, children }: Props) {
  const { t } = useTranslation()
  return (
    <div className="panel">
      {query.error && all === undefined && <div className="section-body"><Failure error={query.error} retry={() => query.refetch()} /></div>}
      {query.isPending && <Skeleton lines={8} />}
      {all === 0 && empty}
      {all !== undefined && all > 0 && found === 0 && <Empty icon="search" title={t('noMatch')} action={clear}>{t('noMatchLead')}</Empty>}
      {found > 0 && children}
      {more && (
        <div className="table-more">
          {found > shown && <span className="quiet small">{t('shown', { shown: count(shown), all: count(found) })}</span>}
          <Button look="plain" busy={more.busy ?? false} onClick={more.act}>{more.name ?? t('more')}</Button>
        </div>
      )}
    </div>
  )
}
