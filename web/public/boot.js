// Runs before the first paint: theme, language and title, so that nothing flashes. Plain ES2015, no build step.
;(function () {
  var root = document.documentElement
  function stored(key) {
    try {
      return localStorage.getItem(key)
    } catch (_) {
      return null
    }
  }
  var theme = stored('tollgate.theme')
  var dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  root.classList.toggle('dark', dark)
  var language = stored('tollgate.language')
  if (language !== 'zh-CN' && language !== 'en') {
    var wanted = navigator.languages && navigator.languages.length ? navigator.languages : [navigator.language || 'en']
    language = 'en'
    for (var i = 0; i < wanted.length; i += 1) {
      if (/^zh\b/i.test(wanted[i])) language = 'zh-CN'
      if (/^(zh|en)\b/i.test(wanted[i])) break
    }
  }
  root.lang = language
  root.dataset.page = location.pathname === '/' ? 'home' : 'app'
  try {
    var boot = JSON.parse(document.getElementById('boot').textContent)
    if (boot.settings && boot.settings.site_name) document.title = boot.settings.site_name
    if (boot.setup_required) root.dataset.page = 'app'
  } catch (_) {
    // Served without the server's data (development): the app asks for it.
  }
})()
