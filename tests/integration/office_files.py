"""Files of office programs, made for a test: good ones, and such as want to reach out; and what a picture of their pages shows."""

import io
import os
import struct
import subprocess
import zipfile

LIBRARY = "/usr/lib/libreoffice/program/libmergedlo.so"
BAR = 36  # what says below a page who saw it
RED, GREEN = "FF0000", "00B050"

TYPES = ('<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
         '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
         '<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>{}</Types>')
RELATIONS = ('<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
             'relationships">{}</Relationships>')
OF = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "application/vnd.openxmlformats-officedocument."


def zipped(parts):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return whole.getvalue()


def relation(identity, kind, target, external=False):
    return (f'<Relationship Id="{identity}" Type="{OF}/{kind}" Target="{target}"'
            f'{" TargetMode=" + chr(34) + "External" + chr(34) if external else ""}/>')


def part(name, kind):
    return f'<Override PartName="{name}" ContentType="{MAIN}{kind}+xml"/>'


def coloured(words, colour):
    """A paragraph whose ground has a colour."""
    return f'<w:p><w:pPr><w:shd w:val="clear" w:color="auto" w:fill="{colour}"/></w:pPr><w:r><w:t>{words}</w:t></w:r></w:p>'


PAGE_BREAK = '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'


def docx(body, relations="", settings=None, settings_relations="", more=None):
    parts = {
        "[Content_Types].xml": TYPES.format(part("/word/document.xml", "wordprocessingml.document.main") +
                                            part("/word/settings.xml", "wordprocessingml.settings")),
        "_rels/.rels": RELATIONS.format(relation("r1", "officeDocument", "word/document.xml")),
        "word/document.xml": '<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="http://schemas.openxmlformats.org/'
                             f'wordprocessingml/2006/main" xmlns:r="{OF}" xmlns:v="urn:schemas-microsoft-com:vml">'
                             f'<w:body>{body}</w:body></w:document>',
        "word/_rels/document.xml.rels": RELATIONS.format(relation("s1", "settings", "settings.xml") + relations),
        "word/settings.xml": '<?xml version="1.0" encoding="UTF-8"?><w:settings xmlns:w="http://schemas.openxmlformats.org/'
                             f'wordprocessingml/2006/main" xmlns:r="{OF}">{settings or ""}</w:settings>',
    }
    if settings_relations:
        parts["word/_rels/settings.xml.rels"] = RELATIONS.format(settings_relations)
    return zipped(parts | (more or {}))


def picture(identity, how="link"):
    """how: link for one that is elsewhere, embed for one that came along."""
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    return (f'<w:p><w:r><w:drawing><wp:inline xmlns:wp="{drawing}/wordprocessingDrawing"><wp:extent cx="3600000" cy="3600000"/>'
            f'<wp:docPr id="1" name="a"/><a:graphic xmlns:a="{drawing}/main"><a:graphicData uri="{drawing}/picture">'
            f'<pic:pic xmlns:pic="{drawing}/picture"><pic:nvPicPr><pic:cNvPr id="1" name="a"/><pic:cNvPicPr/></pic:nvPicPr>'
            f'<pic:blipFill><a:blip r:{how}="{identity}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm>'
            '<a:off x="0" y="0"/><a:ext cx="3600000" cy="3600000"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr>'
            '</pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>')


SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def xlsx(cells, more=None, workbook="", relations="", types=""):
    """cells: rows of the XML of cells; style 1 has a red ground."""
    rows = "".join(f'<row r="{at}">{row}</row>' for at, row in enumerate(cells, 1))
    return zipped({
        "[Content_Types].xml": TYPES.format(part("/xl/workbook.xml", "spreadsheetml.sheet.main") + types +
                                            part("/xl/worksheets/sheet1.xml", "spreadsheetml.worksheet") +
                                            part("/xl/styles.xml", "spreadsheetml.styles")),
        "_rels/.rels": RELATIONS.format(relation("r1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<?xml version="1.0" encoding="UTF-8"?><workbook xmlns="{SHEET}" xmlns:r="{OF}"><sheets>'
                           f'<sheet name="給与" sheetId="1" r:id="w1"/></sheets>{workbook}</workbook>',
        "xl/_rels/workbook.xml.rels": RELATIONS.format(relation("w1", "worksheet", "worksheets/sheet1.xml") +
                                                       relation("w2", "styles", "styles.xml") + relations),
        "xl/styles.xml": f'<?xml version="1.0" encoding="UTF-8"?><styleSheet xmlns="{SHEET}"><fonts count="1"><font><sz val="11"/>'
                         '</font></fonts><fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill '
                         f'patternType="gray125"/></fill><fill><patternFill patternType="solid"><fgColor rgb="FF{RED}"/></patternFill>'
                         '</fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
                         '<cellXfs count="2"><xf/><xf fillId="2" applyFill="1"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{SHEET}"><sheetData>{rows}</sheetData>'
                                    '</worksheet>',
    } | (more or {}))


ODF = ('xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
       'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:'
       'xsl-fo-compatible:1.0" xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
       'xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" xmlns:xlink="http://www.w3.org/1999/xlink" '
       'xmlns:script="urn:oasis:names:tc:opendocument:xmlns:script:1.0" xmlns:ooo="http://openoffice.org/2004/office"')
MANIFEST = ('<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
            'manifest:version="1.2"><manifest:file-entry manifest:full-path="/" manifest:version="1.2" '
            'manifest:media-type="application/vnd.oasis.opendocument.{}"/>{}</manifest:manifest>')
ENTRY = '<manifest:file-entry manifest:full-path="{}" manifest:media-type="text/xml"{}</manifest:file-entry>'


def opendocument(kind, content, more=None, entries=""):
    """kind: text, spreadsheet or presentation."""
    return zipped({"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content,
                   "META-INF/manifest.xml": MANIFEST.format(kind, (entries or ENTRY.format("content.xml", ">")))} | (more or {}))


def odt(body, scripts=""):
    return (f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {ODF} office:version="1.2">{scripts}'
            '<office:automatic-styles><style:style style:name="red" style:family="paragraph"><style:paragraph-properties '
            f'fo:background-color="#{RED.lower()}"/></style:style></office:automatic-styles><office:body><office:text>{body}'
            '</office:text></office:body></office:document-content>')


def odp():
    """A slide that is red."""
    return opendocument("presentation", (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {ODF} office:version="1.2"><office:automatic-styles>'
        f'<style:style style:name="red" style:family="graphic"><style:graphic-properties draw:fill="solid" draw:fill-color="#{RED.lower()}"/>'
        '</style:style></office:automatic-styles><office:body><office:presentation><draw:page draw:name="a"><draw:rect draw:style-name="red" '
        'svg:x="1cm" svg:y="1cm" svg:width="9cm" svg:height="9cm"/></draw:page></office:presentation></office:body></office:document-content>'))


def odt_with_macro(then):
    """One that starts by itself and paints nothing red any more."""
    module = ('<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" '
              '"module.dtd"><script:module xmlns:script="http://openoffice.org/2000/script" script:name="M" '
              f'script:language="StarBasic">Sub Go\n{then}\nEnd Sub</script:module>')
    library = ('<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE library:library PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" '
               '"library.dtd"><library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard" '
               'library:readonly="false" library:passwordprotected="false"><library:element library:name="M"/></library:library>')
    libraries = ('<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE library:libraries PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" '
                 '"libraries.dtd"><library:libraries xmlns:library="http://openoffice.org/2000/library" '
                 'xmlns:xlink="http://www.w3.org/1999/xlink"><library:library library:name="Standard" library:link="false"/>'
                 '</library:libraries>')
    scripts = ('<office:scripts><office:script script:language="ooo:Basic"/><office:event-listeners>'
               + "".join(f'<script:event-listener script:language="ooo:script" script:event-name="{event}" xlink:href='
                         '"vnd.sun.star.script:Standard.M.Go?language=Basic&amp;location=document" xlink:type="simple"/>'
                         for event in ("dom:load", "office:load-finished")) +
               '</office:event-listeners></office:scripts>')
    names = ("content.xml", "Basic/script-lc.xml", "Basic/Standard/script-lb.xml", "Basic/Standard/M.xml")
    return opendocument("text", odt('<text:p text:style-name="red">x</text:p>', scripts), {
        "Basic/script-lc.xml": libraries, "Basic/Standard/script-lb.xml": library, "Basic/Standard/M.xml": module},
        "".join(ENTRY.format(name, ">") for name in names))


def odt_with_password():
    """As one looks whose content nobody can read: what is in it is as good as any other noise."""
    secret = ('><manifest:encryption-data manifest:checksum-type="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0#sha256-1k" '
              'manifest:checksum="q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="><manifest:algorithm manifest:algorithm-name='
              '"http://www.w3.org/2001/04/xmlenc#aes256-cbc" manifest:initialisation-vector="EjRWeJCrze8SNFZ4kKvN7w=="/>'
              '<manifest:start-key-generation manifest:start-key-generation-name="http://www.w3.org/2000/09/xmldsig#sha256" '
              'manifest:key-size="32"/><manifest:key-derivation manifest:key-derivation-name="PBKDF2" manifest:key-size="32" '
              'manifest:iteration-count="1000" manifest:salt="EjRWeJCrze8SNFZ4kKvN7w=="/></manifest:encryption-data>')
    return opendocument("text", b"\x12\x34\x56\x78\x9a\xbc\xde\xf0" * 32, None,
                        ENTRY.format("content.xml", ' manifest:size="240"' + secret))


def rtf(words):
    return r"{\rtf1\ansi{\colortbl;\red255\green0\blue0;}\pard\cbpat1 ".encode() + words.encode() + rb"\par}"


def missing():
    """Why office files cannot be shown on this machine, or None."""
    if not os.path.exists(LIBRARY):
        return "LibreOffice is not installed"
    shut_in = subprocess.run(["unshare", "--user", "--mount", "--net", "--ipc", "true"], capture_output=True, text=True)
    return shut_in.stderr.strip() if shut_in.returncode else None


def pixels(png, colour):
    """How many pixels of the page above the bar have the colour, or almost: pictures in a PDF are JPEGs."""
    raw = subprocess.run(["convert", "png:-", "-depth", "8", "rgb:-"], input=png, stdout=subprocess.PIPE, check=True).stdout
    width, height = struct.unpack(">II", png[16:24])
    page = raw[:3 * width * (height - BAR)]
    red, green, blue = colour
    return sum(abs(r - red) < 9 and abs(g - green) < 9 and abs(b - blue) < 9 for r, g, b in zip(page[0::3], page[1::3], page[2::3]))
