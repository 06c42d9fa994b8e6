// Something that could not be read, and a way to ask again.
import { sentence } from '../lib/format'
import { messages } from '../lib/messages'

export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  const text = error instanceof TypeError ? messages.unreachable : sentence(error.message)
  return (
    <div className="note" role="alert">
      {text}
      {retry && <> <button type="button" className="button plain" onClick={retry}>{messages.retry}</button></>}
    </div>
  )
}
