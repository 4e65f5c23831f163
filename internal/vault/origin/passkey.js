// Answers the vault's challenges with the browser's passkeys. A form with data-passkey="get" or "create" carries the
// options in data-options; the response goes into its field "response", and the form is sent.

const bytes = text => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0))
const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
const known = list => (list ?? []).map(c => ({ ...c, id: bytes(c.id) }))

async function ask(kind, options) {
  options.challenge = bytes(options.challenge)
  if (kind === 'create') {
    options.user.id = bytes(options.user.id)
    options.excludeCredentials = known(options.excludeCredentials)
    return navigator.credentials.create({ publicKey: options })
  }
  options.allowCredentials = known(options.allowCredentials)
  return navigator.credentials.get({ publicKey: options })
}

function answer(credential) {
  const response = { clientDataJSON: text(credential.response.clientDataJSON) }
  for (const field of ['attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
    if (credential.response[field]) response[field] = text(credential.response[field])
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports()
  return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults: {} })
}

for (const form of document.querySelectorAll('form[data-passkey]')) {
  const failed = form.querySelector('[data-failed]')
  if (!window.PublicKeyCredential) {
    form.querySelector('[data-unsupported]').hidden = false
    continue
  }
  form.addEventListener('submit', async event => {
    event.preventDefault()
    failed.hidden = true
    const button = form.querySelector('button')
    button.disabled = true
    try {
      form.elements.response.value = answer(await ask(form.dataset.passkey, JSON.parse(form.dataset.options)))
      form.submit()
    } catch {
      failed.hidden = false
      button.disabled = false
      button.focus()
    }
  })
}
