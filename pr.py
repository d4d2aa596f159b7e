from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    b=p.chromium.launch(executable_path="/usr/bin/chromium",args=["--no-sandbox","--disable-gpu"])
    pg=b.new_page(viewport={"width":794,"height":1123}); pg.goto("file:///tmp/w/h-ask-scratch/tour/index.html"); pg.emulate_media(media="print"); pg.wait_for_timeout(400)
    pg.screenshot(path="/tmp/w/h-ask-scratch/print.png",full_page=True)
