import sys
# Before Python 3.4 there is no -I, and modules are imported from the current folder first.
sys.path[:] = [place for place in sys.path if place]
import hashlib, json, os, platform, shutil, subprocess, tempfile

script, here, named_environment, python, tool, minisign = sys.argv[1:]
environment = os.path.abspath(named_environment)
isolated = ['-I'] if sys.version_info >= (3, 4) else ['-E', '-s']
kept = dict(each for each in os.environ.items() if not each[0].upper().startswith(('PYTHON', 'PIP_')))
kept.update(PIP_CONFIG_FILE=os.devnull, PIP_NO_INDEX='1')

def fail(message):
    shown = ''.join(each if each.isalnum() or ' ' <= each <= '~' else '?' for each in message)
    sys.stderr.write('%s: %s\n' % (script, shown))
    sys.exit(1)

# In bytes, of the manifest and of the list of digests.
largest = 64 << 20

def read(name):
    path = os.path.join(here, name)
    if not os.path.isfile(path):
        fail('%s is missing; nothing was installed' % name)
    with open(path, 'rb') as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        fail('%s is larger than any that is made; nothing was installed' % name)
    return content

def run(command, **options):
    return subprocess.call(command, env=kept, **options)

def listed():
    '''The digests in SHA256SUMS, by path.'''
    lines = read('SHA256SUMS').decode('utf-8').split('\n')
    end, pairs = lines.pop(), [line.split('  ', 1) for line in lines]
    if end or not pairs or not all(len(pair) == 2 and len(pair[0]) == 64 for pair in pairs):
        fail('SHA256SUMS was altered; nothing was installed')
    return dict((path, sha256) for sha256, path in pairs)

def is_environment(folder, name, digests):
    path = os.path.join(folder, name)
    is_one = path == environment or os.path.isfile(os.path.join(path, 'pyvenv.cfg'))
    return is_one and folder == here and not any(each.startswith(name + '/') for each in digests)

def present(digests):
    '''The paths of all files here, without those of virtual environments.'''
    for folder, folders, files in os.walk(here):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        folders[:] = [name for name in folders if name not in links and not is_environment(folder, name, digests)]
        for name in files + links:
            yield os.path.relpath(os.path.join(folder, name), here).replace(os.sep, '/')

def digest(path):
    hasher = hashlib.sha256()
    with open(path, 'rb') as file:
        for piece in iter(lambda: file.read(1 << 20), b''):
            hasher.update(piece)
    return hasher.hexdigest()

def check(digests):
    '''Refuses a bundle that is not exactly what its list says.'''
    found = set(present(digests))
    for path in sorted(found - set(digests) - set(['SHA256SUMS', 'prefetch.json.minisig'])):
        fail('%s does not belong to the bundle; nothing was installed. Move it away, then run this again' % path)
    for path in sorted(digests):
        file = os.path.join(here, *path.split('/'))
        if path not in found or not os.path.isfile(file):
            fail('%s is missing; nothing was installed' % path)
        # What it leads to may be another file by the time it is read.
        if os.path.islink(file):
            fail('%s is a link; nothing was installed' % path)
        if digest(file) != digests[path]:
            fail('%s was altered; nothing was installed' % path)

def check_signature(content):
    '''Refuses a manifest that is not signed by the key in PREFETCH_PUBLIC_KEY.'''
    work = tempfile.mkdtemp()
    try:
        # Whoever may write to the bundle could have another file judged than the one that was read.
        copy = os.path.join(work, 'prefetch.json')
        for path, signed in ((copy, content), (copy + '.minisig', read('prefetch.json.minisig'))):
            with open(path, 'wb') as file:
                file.write(signed)
        command = [minisign, '-Vqm', copy, '-P', os.environ['PREFETCH_PUBLIC_KEY']]
        with open(os.devnull, 'w') as nowhere:
            if subprocess.call(command, stdout=nowhere):
                fail('the bundle is not signed by the key in PREFETCH_PUBLIC_KEY; do not install it')
    finally:
        shutil.rmtree(work)

def checked_manifest(content, digests):
    '''The manifest in these bytes, where the list says the same.'''
    manifest = json.loads(content.decode('utf-8'))
    files = manifest['pages'] + [file for package in manifest['packages'] for file in package['files']]
    told = dict((file['path'], file['sha256']) for file in files)
    if dict(told, **{'prefetch.json': hashlib.sha256(content).hexdigest()}) != digests:
        fail('SHA256SUMS was altered: it does not list what the manifest says; nothing was installed')
    return manifest

def described():
    '''The markers (PEP 508) that tell targets apart; a 32-bit Python does not tell its own processor.'''
    own = {'python_version': '%d.%d' % sys.version_info[:2], 'sys_platform': sys.platform}
    own['implementation_name'] = platform.python_implementation().lower()
    if sys.maxsize > 1 << 32:
        own['platform_machine'] = platform.machine()
    return own

def is_for(target, own):
    markers = (target['description'] or {}).get('markers', own)
    # Python 2 calls Linux linux2.
    spell = lambda value: value.lower().replace('linux2', 'linux')
    return all(spell(markers[variable]) == spell(own[variable]) for variable in own)

def targets(manifest):
    '''The ids of the targets that this Python is, or the one that TARGET names.'''
    ids, own = [target['id'] for target in manifest['targets']], described()
    named = os.environ.get('TARGET')
    if named:
        if named not in ids:
            fail('TARGET is %s, and the bundle serves %s' % (named, ', '.join(ids)))
        if not all(is_for(target, own) for target in manifest['targets'] if target['id'] == named):
            fail('TARGET is %s, and this Python is %s on %s; nothing was installed. The variable PYTHON names another'
                % (named, own['python_version'], sys.platform))
        return [named]
    fitting = [target['id'] for target in manifest['targets'] if is_for(target, own)]
    if ids and not fitting:
        fail('this Python is %s on %s, and the bundle serves %s; nothing was installed. The variable PYTHON names another'
            % (own['python_version'], ' '.join([sys.platform, platform.machine()]), ', '.join(ids)))
    return fitting

def requirements(manifest, ids):
    '''The file to install from: where no marker tells targets apart, each has its own.'''
    own = ['requirements-%s.txt' % target for target in ids]
    pages = [page['path'] for page in manifest['pages']]
    if not any(path in pages for path in own):
        return 'requirements.txt'
    if len(own) > 1:
        fail('the variable TARGET must name which of these this is: ' + ', '.join(ids))
    return own[0]

def python_of_environment():
    names = [os.path.join('bin', 'python'), os.path.join('Scripts', 'python.exe'), os.path.join('bin', 'python.exe')]
    paths = [os.path.join(environment, name) for name in names]
    return next((path for path in paths if os.path.exists(path)), None)

def make_environment():
    if python_of_environment():
        return
    # Before Python 3.4, -m would run what lies in the current folder.
    made = 1
    if sys.version_info >= (3, 4):
        command = [python] + isolated + ['-m', 'venv']
        with open(os.devnull, 'w') as nowhere:
            made = run(command + [environment], stderr=nowhere)
        made = made and run(command + ['--without-pip', environment])
    if made or not python_of_environment():
        fail('%s cannot make %s' % (python, named_environment))

def copy_checked(source, place, expected):
    '''Copies a file, and refuses it where it is not what was checked any more.'''
    shutil.copyfile(source, place)
    if digest(place) != expected:
        fail('%s was altered; nothing was installed' % source)

def unhashed(manifest):
    '''The paths of what pip takes without a look at a digest: its pages, itself, and whatever a build may ask for.'''
    files = [(package['name'], file) for package in manifest['packages'] for file in package['files']]
    builds = any(not file['filename'].endswith('.whl') for _, file in files)
    taken = [file['path'] for name, file in files if builds or name == 'pip' or file.get('tools')]
    return set(page['path'] for page in manifest['pages']) | set(taken)

def stage(digests, folder, unhashed):
    '''Gives all that is listed, and nothing else, a place in the folder.'''
    for path in digests:
        source, place = (os.path.join(root, *path.split('/')) for root in (here, folder))
        if not os.path.isdir(os.path.dirname(place)):
            os.makedirs(os.path.dirname(place))
        # Whoever may write here could put other bytes there by now.
        if path in unhashed:
            copy_checked(source, place, digests[path])
            continue
        try:
            (os.symlink if os.name == 'posix' else os.link)(source, place)
        except (AttributeError, OSError):
            shutil.copyfile(source, place)

def pip_of(manifest, ids, folder):
    '''The pip that the bundle has for the target, which runs from its wheel; else that of the environment.'''
    packages = [package for package in manifest['packages'] if package['name'] == 'pip']
    for file in (file for package in packages for file in package['files']):
        if file['filename'].endswith('-none-any.whl') and set(file['targets']) & set(ids):
            return [os.path.join(folder, *file['path'].split('/')) + os.sep + 'pip']
    return ['-m', 'pip']

def install(manifest, ids, path, folder, empty):
    pip = pip_of(manifest, ids, folder)
    command = [python_of_environment()] + isolated + pip
    with open(os.devnull, 'w') as nowhere:
        if pip[0] == '-m' and run(command + ['--version'], cwd=empty, stdout=nowhere, stderr=nowhere):
            fail('%s has no pip, and the bundle has none for this Python; bundle with --with-installer' % named_environment)
    requests = manifest['requests']
    alone = requests and not any(request['options']['dependencies'] for request in requests)
    command += ['install', '--no-index', '--no-cache-dir', '--disable-pip-version-check']
    return run(command + ['--no-deps'] * bool(alone) + ['-r', os.path.join(folder, path)], cwd=empty)

def run_tool(manifest):
    '''Runs the tool of the project that the bundle was made from, in the current folder.'''
    project = manifest.get('project') or {}
    installer = project.get('installer') or {}
    if installer.get('name') != tool:
        made_from = project.get('lock') or 'no lock whose tool installs from it'
        fail('the bundle was made from %s, which is not for %s; nothing was installed' % (made_from, tool))
    from pathlib import Path
    texts = {'{bundle}': here, '{url}': Path(here).as_uri().replace(',', '%2C') + '/', '{project}': os.getcwd()}
    def filled(text):
        for name, value in texts.items():
            text = text.replace(name, value)
        return text
    kept.update((name, filled(value)) for name, value in installer['variables'].items())
    if installer.get('preparation') and run([python] + isolated + list(map(filled, installer['preparation']))):
        fail('what %s needs could not be prepared; nothing was installed' % tool)
    command = list(map(filled, installer['command']))
    program = shutil.which(command[0])
    if not program:
        fail('there is no %s; nothing was installed' % command[0])
    return run([program] + command[1:])

def main():
    if os.path.isfile(os.path.join(here, 'delta.json')):
        fail('this is only what is new since an older bundle; make the new one: prefetch apply DELTA OLD -o NEW')
    # Read once, so that what is signed, listed and obeyed is the same.
    content = read('prefetch.json')
    if minisign != '-':
        check_signature(content)
    digests = listed()
    check(digests)
    manifest = checked_manifest(content, digests)
    if tool != 'pip':
        return run_tool(manifest)
    ids = targets(manifest)
    path = requirements(manifest, ids)
    make_environment()
    work = tempfile.mkdtemp()
    try:
        folder, empty = os.path.join(work, 'bundle'), os.path.join(work, 'empty')
        os.mkdir(empty)
        stage(digests, folder, unhashed(manifest))
        return install(manifest, ids, path, folder, empty)
    finally:
        shutil.rmtree(work)

try:
    sys.exit(main())
except (EnvironmentError, KeyError, TypeError, ValueError) as error:
    fail('%s: %s' % (type(error).__name__, error))
