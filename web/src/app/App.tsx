// The application: the way in, or the pages.
import { RouterProvider } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'
import { useSession } from '../api/people'
import { Failure } from '../ui/Failure'
import { Toasts } from '../ui/Toasts'
import { router } from './router'

const Door = lazy(async () => ({ default: (await import('../features/session/Door')).Door }))

export function App() {
  const { t, i18n } = useTranslation()
  const session = useSession()
  if (session.isPending) return <p className="waiting quiet">{t('loading')}</p>
  if (session.isError) return <div className="waiting"><Failure error={session.error} retry={() => session.refetch()} /></div>
  // Formatters and words belong to a language, so everything is drawn anew in another.
  return (
    <Suspense key={i18n.language} fallback={<p className="waiting quiet">{t('loading')}</p>}>
      {session.data ? <RouterProvider router={router} /> : <Door onSetUp={() => { void router.navigate({ to: '/start' }) }} />}
      <Toasts />
    </Suspense>
  )
}
