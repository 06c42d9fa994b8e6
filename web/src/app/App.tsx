// The application: the way in, or the shell with the page that the address names.
import { Door } from '../features/session/Door'
import { useSession } from '../features/session/api'
import { RecordPage } from '../features/records/RecordPage'
import { messages } from '../lib/messages'
import { link, usePage } from '../lib/router'
import { Failure } from '../ui/Failure'
import { Overview } from './Overview'
import { Shell } from './Shell'

export function App() {
  const session = useSession()
  if (session.isPending) return <p className="waiting quiet">{messages.loading}</p>
  if (session.isError) return <div className="waiting"><Failure error={session.error} retry={() => void session.refetch()} /></div>
  if (!session.data) return <Door />
  return <Shell username={session.data.username}><CurrentPage /></Shell>
}

function CurrentPage() {
  const page = usePage()
  switch (page.at) {
    case 'overview':
      return <Overview />
    case 'record':
      return <RecordPage id={page.id} />
    case 'unknown':
      return (
        <div className="stack">
          <h1>{messages.notFound.title}</h1>
          <a href={link({ at: 'overview' })}>{messages.notFound.back}</a>
        </div>
      )
  }
}
