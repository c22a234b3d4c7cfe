// The dialog: one video and all that its receipt says.

const viewer = (() => {
  const dialog = $('viewer');
  let current = -1;
  let hasEntry = false;
  // Whether the address was left already, by going back.
  let isLeft = false;

  function show(index) {
    current = index;
    const video = shown[index];
    $('place').textContent = `${count(index + 1)} of ${count(shown.length)}`;
    $('previous').disabled = index === 0;
    $('next').disabled = index === shown.length - 1;
    $('stage').classList.toggle('tall', video.tall);
    clear();
    $('details').replaceChildren(...details(video));
    $('details').scrollTop = dialog.scrollTop = 0;
    if (!dialog.open) {
      dialog.showModal();
      document.body.classList.add('viewing');
    }
    play(video);
    $('details').focus({ preventScroll: true });
  }

  function play(video) {
    if (!video.film) {
      $('stage').append(video.frame
        ? make('img', { alt: 'Last frame', src: video.frame.link })
        : make('p', { textContent: `${video.files[0]?.name ?? 'This'} is not a video that can be shown here.` }));
      return;
    }
    const film = make('video', { controls: true, playsInline: true, loop: true, preload: 'auto' });
    film.setAttribute('aria-label', video.prompt || video.id);
    if (video.frame) film.poster = video.frame.link;
    film.addEventListener('error', () => {
      if (!film.isConnected) return;
      $('stage').replaceChildren(make('p', { textContent: ended()
        ? 'The links of this page have ended. Make the page again to see the video.'
        : 'This video cannot be loaded or shown. It may have been moved or deleted since this page was made.' }));
    });
    film.src = video.film.link;
    $('stage').append(film);
    if (!matchMedia('(prefers-reduced-motion: reduce)').matches) film.play().catch(() => {});
  }

  /** Stops what is playing and what it loads. */
  function clear() {
    const film = $('stage').querySelector('video');
    $('stage').replaceChildren();
    if (film) {
      film.removeAttribute('src');
      film.load();
    }
  }

  function details(video) {
    const parts = [make('h2', { id: 'title', className: video.prompt ? '' : 'id', textContent: video.prompt || video.id })];
    if (video.faults.length) {
      parts.push(make('ul', { className: 'warnings' }, ...video.faults.map(fault => make('li', { textContent: fault }))));
    }
    parts.push(facts(video), make('h3', { textContent: 'Files' }), ...video.files.map(entry));
    parts.push(make('div', { className: 'file' }, link('Receipt', video.receipt)));
    for (const file of video.files) {
      if (file.checks) parts.push(make('h3', { textContent: `Checks of ${file.name}` }), checks(file.checks));
    }
    return parts;
  }

  function facts(video) {
    const known = [
      ['Task', video.id, 'mono'],
      ['Account', video.account],
      ['Model', video.model],
      ['Created', time(minute, video.created)],
      ['Archived', time(minute, video.archived)],
      ['Length', length(video)],
      ['Resolution', video.resolution],
      ['Ratio', video.ratio],
      ['Seed', video.seed === undefined ? '' : String(video.seed)],
      ['Size', bytes(video.size)],
      ['Tokens', video.tokens ? count(video.tokens) : ''],
      ['Came from', video.source],
      ['Archiver', video.archiver],
    ];
    return make('dl', {}, ...known.filter(([, value]) => value).flatMap(([name, value, className = '']) =>
      [make('dt', { textContent: name }), make('dd', { textContent: value, className })]));
  }

  const link = (text, href) => make('a', { textContent: text, href, target: '_blank', rel: 'noopener noreferrer' });

  function entry(file) {
    const copy = make('button', { type: 'button', className: 'copy', textContent: 'Copy' });
    copy.setAttribute('aria-label', `Copy the SHA-256 of ${file.name}`);
    const digest = make('code', { textContent: file.sha256, title: 'SHA-256' });
    copy.addEventListener('click', async () => {
      copy.textContent = await copied(digest) ? 'Copied' : 'Selected';
      setTimeout(() => { copy.textContent = 'Copy'; }, 1500);
    });
    return make('div', { className: 'file' },
      make('span', { textContent: [file.type, bytes(file.size)].filter(Boolean).join(', ') }),
      link(file.name, file.link),
      file.sha256 ? make('div', { className: 'digest' }, digest, copy) : null);
  }

  /** Selects the text as well, where the browser lets no page write to the clipboard. */
  async function copied(element) {
    getSelection().selectAllChildren(element);
    try {
      await navigator.clipboard.writeText(element.textContent);
      getSelection().empty();
      return true;
    } catch {
      return document.execCommand('copy');
    }
  }

  function checks(list) {
    const rows = list.map(([name, result, expected, found]) => {
      const passed = result === 'passed';
      const mark = make('span', { className: 'mark', textContent: passed ? '✓' : '!' });
      mark.setAttribute('role', 'img');
      mark.setAttribute('aria-label', passed ? 'passed' : 'warning');
      const heading = make('th', { scope: 'row' }, mark, name.replaceAll('_', ' '));
      const cells = expected && expected === found
        ? [make('td', { textContent: found, colSpan: 2, className: 'same' })]
        : [make('td', { textContent: expected || '–' }), make('td', { textContent: found })];
      return make('tr', { className: passed ? '' : 'warning' }, heading, ...cells);
    });
    const head = ['Check', 'Expected', 'Found'].map(textContent => make('th', { scope: 'col', textContent }));
    return make('table', {}, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows));
  }

  /** Opens with an entry in the history, so that going back closes. */
  function open(index) {
    history.pushState(null, '', address(shown[index].key));
    hasEntry = true;
    show(index);
  }

  function step(by) {
    const index = current + by;
    if (index < 0 || index >= shown.length) return;
    history.replaceState(null, '', address(shown[index].key));
    show(index);
  }

  function hide() {
    if (!dialog.open) return;
    isLeft = true;
    dialog.close();
  }

  function closed() {
    clear();
    document.body.classList.remove('viewing');
    if (!isLeft) {
      if (hasEntry) history.back();
      else history.replaceState(null, '', address());
    }
    isLeft = hasEntry = false;
    grid.focus(current);
  }

  function key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const isFilm = event.target.localName === 'video';
    const steps = { n: 1, p: -1, ...(isFilm ? {} : { ArrowRight: 1, ArrowLeft: -1 }) };
    const film = $('stage').querySelector('video');
    if (event.key in steps) step(steps[event.key]);
    else if (event.key === ' ' && event.target === $('details') && film) film.paused ? film.play() : film.pause();
    else return;
    event.preventDefault();
  }

  dialog.addEventListener('close', closed);
  dialog.addEventListener('click', event => { if (event.target === dialog) dialog.close(); });
  $('previous').addEventListener('click', () => step(-1));
  $('next').addEventListener('click', () => step(1));
  $('close').addEventListener('click', () => dialog.close());
  return { open, show, hide, key, isOpen: () => dialog.open };
})();

// Starts.

document.addEventListener('keydown', event => {
  if (viewer.isOpen()) return viewer.key(event);
  const isTyped = event.target.matches('input[type="search"], select');
  if (event.key === '/' && !isTyped && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    $('q').focus();
    $('q').select();
  } else if (event.target === $('q') && (event.key === 'Enter' || event.key === 'ArrowDown')) {
    event.preventDefault();
    grid.focus(0);
  } else {
    grid.key(event);
  }
});
$('filters').addEventListener('submit', event => event.preventDefault());
$('q').addEventListener('input', changed);
for (const id of ['model', 'account', 'sort', 'warnings']) $(id).addEventListener('change', changed);
$('clear').addEventListener('click', () => {
  $('filters').reset();
  changed();
  $('q').focus();
});
addEventListener('popstate', follow);

offer($('model'), 'All models', page.videos.map(video => video.model));
offer($('account'), 'All accounts', page.videos.map(video => video.account));
introduce();
follow();
setInterval(warn, 60_000);
