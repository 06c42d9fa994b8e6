// The entry: theme and words before the first paint, then the application.
import './ui/tokens.css'
import './ui/base.css'
import './ui/kit.css'
import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { askForSession } from './api/people'
import { queries } from './api/queries'
import { warmUp } from './api/warm'
import { App } from './app/App'
import { router } from './app/router'
import { startLanguage } from './lib/i18n'
import { applyTheme } from './lib/theme'

applyTheme()
// What the first page needs comes at once, beside the words: who is signed in, and the page itself.
void askForSession().then((open) => { if (open) warmUp() })
void router.load()

const root = document.getElementById('root')
if (root) {
  void startLanguage().then(() => {
    createRoot(root).render(
      <StrictMode>
        {/* The master's content security policy allows no style elements. */}
        <CSPProvider disableStyleElements>
          <QueryClientProvider client={queries}><App /></QueryClientProvider>
        </CSPProvider>
      </StrictMode>,
    )
  })
}
