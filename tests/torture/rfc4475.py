"""RFC 4475's torture messages, by their names there, as they go over the wire to a switch.

Addresses, tags and what is odd are the RFC's; what is ordinary is written once (`_plain`). Some are sound and answered, some are to be refused, some are no SIP at all and are dropped.
"""
# ruff: noqa: E501 -- the messages' own lines

_SDP = ("v=0\r\no=mhandley 29739 7272939 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        "m=audio 49217 RTP/AVP 0 12\r\nm=video 3227 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n")


def _message(first: str, *headers: str, body: str = "", length: str | None = None) -> bytes:
    size = [f"Content-Length: {len(body)}" if length is None else length]
    return "\r\n".join([first, *headers, *(size if size != [""] else []), "", body]).encode("utf-8", "surrogateescape")


def _plain(method: str, name: str, uri: str = "sip:user@example.com", *more: str, body: str = "",
           length: str | None = None, **changes: str) -> bytes:
    """A request with nothing odd but what `changes` (Header_Name="…") and `more` make so."""
    headers = {
        "To": "sip:j.user@example.com", "From": "sip:caller@example.net;tag=134161461246", "Max-Forwards": "7",
        "Call-ID": f"{name}.0ha0isndaksdjasdf3234nas", "CSeq": f"8 {method}",
        "Via": f"SIP/2.0/UDP 192.0.2.15;branch=z9hG4bK{name}", "Contact": "<sip:caller@host5.example.net>",
        **{key.replace("_", "-"): value for key, value in changes.items()},
    }
    lines = [f"{key}: {value}" for key, value in headers.items() if value != "-"]
    return _message(f"{method} {uri} SIP/2.0", *lines, *more, body=body, length=length)


def _invite(name: str, uri: str = "sip:user@example.com", *more: str, **changes: str) -> bytes:
    return _plain("INVITE", name, uri, "Content-Type: application/sdp", *more, body=_SDP, **changes)


_LONG = "long" * 20 + "value"
_MULTI = ("--7a9cbec02ceef655\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n\r\nHello\r\n"
          "--7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n"
          "0\x82\x01R\x06\t*\x86H\x86\xf7\r\x01\x07\x02\xa0\x82\x01C0\x82\x01?\x02\x01\x011\t0\x07\x06\x05+\x0e\x03"
          "\r\n--7a9cbec02ceef655--\r\n")

MESSAGES: dict[str, bytes] = {
    # 3.1.1 valid messages
    "wsinv": _message(
        "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0", "TO :",
        " sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n",
        'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>', "  ;", "  tag = 98asjd8", "MaX-fOrWaRdS: 0068",
        "Call-ID: wsinv.ndaksdj@192.0.2.1", "Content-Length   : 150", "cseq: 0009", "  INVITE", "Via  : SIP  /   2.0",
        " /UDP", "    192.0.2.2;branch=390skdjuw", "s :", "NewFangledHeader:   newfangled value",
        " continued newfangled value", "UnknownHeaderWithUnusualValue: ;;,,;;,;", "Content-Type: application/sdp",
        "Route:", " <sip:services.example.com;lr;unknownwith=value;unknown-no-value>",
        "v:  SIP  / 2.0  / TCP     spindle.example.com   ;", "  branch  =   z9hG4bK9ikj8  ,",
        " SIP  /    2.0   / UDP  192.168.255.111   ; branch=", " z9hG4bK30239",
        'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =', "      newvalue ;", '  secondparam ; q = 0.33',
        body="v=0\r\no=mhandley 29739 7272939 IN IP4 192.0.2.3\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\n"
             "m=audio 49217 RTP/AVP 0 12\r\nm=video 3227 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n", length=""),
    "intmeth": _message(
        "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
        ":&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0",
        "Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~",
        'To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_unusual.URI~(to-be!sure)&isn\'t+it$/crazy?,/;;*@example.com>',
        "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"работающий\""
        ";tag=_token~1'+`*%!-.", "Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{",
        "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~", "Max-Forwards: 255",
        'extensionHeader-!.%*+_`\'~:\ufeff大停電'),
    "esc01": _invite("esc01", "sip:sips%3Auser%40example.com@example.net", To="sip:%75se%72@example.com",
                     From="<sip:I%20have%20spaces@example.net>;tag=938", Contact="<sip:cal%6Cer@host5.example.net;%6C%72;"
                     "n%61me=v%61lue%25%34%31>"),
    "escnull": _plain("REGISTER", "escnull", "sip:example.com", To="sip:null-%00-null@example.com",
                      From="sip:null-%00-null@example.com;tag=839923423", Contact="<sip:%00@host5.example.com>"),
    "esc02": _plain("RE%47IST%45R", "esc02", "sip:registrar.example.com", 'To: "%Z%45" <sip:resource@example.com>',
                    From='"%Z%45" <sip:resource@example.com>;tag=f232jadfj23', CSeq="29344 RE%47IST%45R",
                    Contact="<sip:alias1@host1.example.com>, <sip:alias2@host2.example.com>"),
    "lwsdisp": _plain("OPTIONS", "lwsdisp", From="caller<sip:caller@example.com>;tag=323"),
    "longreq": _invite(
        "longreq", "sip:user@example.com",
        f"Unknown-{_LONG * 3}-Name: unknown-{_LONG * 3}-value; unknown-{_LONG * 3}-parameter-name = unknown-{_LONG}",
        *[f"Via: SIP/2.0/TCP sip{n}.example.com" for n in range(33, 0, -1)],
        To=f'"I have a user name of {"extreme" * 20} proportion" <sip:user@example.com:6000;unknownparam1={_LONG};'
           f'longparam{"name" * 8}=shortvalue;verylong{"parameter" * 10}NameWithNoValue>',
        From=f"sip:{'amazingly' * 8}longcallername@example.net;tag=12{'982' * 50}424;unknownheaderparam{'name' * 20}="
             f"unknowheaderparam{'value' * 15}", Call_ID=f"longreq.one{'really' * 20}longcallid",
        Contact=f"<sip:{'amazingly' * 8}longcallername@host5.example.net>"),
    "dblreq": _plain("REGISTER", "dblreq", "sip:example.com", To="sip:j.user@example.com",
                     From="sip:j.user@example.com;tag=43251j3j324") + _invite("dblreq2", "sip:joe@example.com"),
    "semiuri": _plain("OPTIONS", "semiuri", "sip:user;par=u%40example.net@example.com"),
    "transports": _plain("OPTIONS", "transports", "sip:user@example.com", "Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKkk"
                         "lasjdf", "Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj",
                         "Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en", "Via: SIP/2.0/TCP t5.example.com"),
    "mpart01": _plain("MESSAGE", "mpart01", "sip:kumiko@example.org", "MIME-Version: 1.0",
                      "Content-Type: multipart/mixed;boundary=7a9cbec02ceef655", body=_MULTI),
    "unreason": _message("SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять - простое", "Via: SIP/2.0/UDP 192.0.2.198;"
                         "branch=z9hG4bK1324923", "Call-ID: unreason.1234ksdfak3j2erwedfsASdf",
                         "CSeq: 35 INVITE", "From: sip:user@example.com;tag=11141343", "To: sip:user@example.edu;tag=2229"),
    "noreason": _message("SIP/2.0 100 ", "Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe",
                         "Call-ID: noreason.asndj203insdf99223ndf", "CSeq: 35 INVITE",
                         "From: <sip:user@example.com>;tag=39ansfi3", "To: <sip:user@example.edu>;tag=902jndnke3"),
    # 3.1.2 invalid messages
    "badinv01": _invite("badinv01", Contact='"Joe" <sip:joe@example.org>;;;;', To="sip:j.user@example.com",
                        Via="SIP/2.0/UDP 192.0.2.15;;,;,,", From="sip:caller@example.net;tag=134161461246"),
    "clerr": _plain("INVITE", "clerr", "sip:user@example.com", "Content-Type: application/sdp", body=_SDP,
                    length="Content-Length: 9999"),
    "ncl": _plain("INVITE", "ncl", "sip:user@example.com", "Content-Type: application/sdp", body=_SDP,
                  length="Content-Length: -999"),
    "scalar02": _plain("REGISTER", "scalar02", "sip:example.com", "Expires: 1000000000000000000000000000000000000000000",
                       Via="SIP/2.0/TCP host129.example.com;branch=z9hG4bK342sdfoi3", CSeq="36893488147419103232 REGISTER",
                       Max_Forwards="300", Contact="<sip:user@host129.example.com>;expires=280297596632815"),
    "scalarlg": _message("SIP/2.0 503 Service Unavailable", "Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bKzzxdiwo34sw",
                         "To: <sip:user@example.com>", "From: <sip:other@example.net>;tag=2easdjfejw",
                         "CSeq: 9292394834772304023312 OPTIONS", "Call-ID: scalarlg.noase0of0234hn2qofoaf0232aewf2394r",
                         "Retry-After: 949302838503028349304023988", 'Warning: 1812 overture "In Progress"'),
    "quotbal": _invite("quotbal", To='"Mr. J. User <sip:j.user@example.com>'),
    "ltgtruri": _invite("ltgtruri", "<sip:user@example.com>"),
    "lwsruri": _invite("lwsruri", "sip:user@example.com; lr"),
    "lwsstart": _invite("lwsstart").replace(b"INVITE sip:user@example.com SIP/2.0", b"INVITE  sip:user@example.com  SIP/2.0"),
    "trws": _plain("OPTIONS", "trws").replace(b" SIP/2.0\r\n", b" SIP/2.0  \r\n", 1),
    "escruri": _invite("escruri", "sip:user@example.com?Route=%3Csip:example.com%3E"),
    "baddate": _invite("baddate", "sip:user@example.com", "Date: Fri, 01 Jan 2010 16:00:00 EST"),
    "regbadct": _plain("REGISTER", "regbadct", "sip:example.com", To="sip:user@example.com",
                       From="sip:user@example.com;tag=998332", Contact="sip:user@example.com?Route=%3Csip:sip.example.com%3E"),
    "badaspec": _plain("OPTIONS", "badaspec", "sip:user@example.org", To='"Watson, Thomas" < sip:t.watson@example.org >',
                       From='"Bell, Alexander" <sip:a.g.bell@example.com>;tag=43'),
    "baddn": _plain("OPTIONS", "baddn", "sip:t.watson@example.org", To="Watson, Thomas <sip:t.watson@example.org>",
                    From="Bell, Alexander <sip:a.g.bell@example.com>;tag=43"),
    "badvers": _plain("OPTIONS", "badvers").replace(b" SIP/2.0\r\n", b" SIP/7.0\r\n", 1),
    "mismatch01": _plain("OPTIONS", "mismatch01", CSeq="8 INVITE"),
    "mismatch02": _plain("NEWMETHOD", "mismatch02", CSeq="8 INVITE"),
    "bigcode": _message("SIP/2.0 4294967301 better not break the receiver", "Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398",
                        "Call-ID: bigcode.asdof3uj203asdnf3429uasdhfas3ehjasdfas9i", "CSeq: 353494 INVITE",
                        "From: <sip:user@example.com>;tag=39ansfi3", "To: <sip:user@example.edu>;tag=902jndnke3"),
    # 3.2 to 3.4: transaction layer, application layer, backward compatibility
    "badbranch": _plain("OPTIONS", "badbranch", Via="SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK"),
    "insuf": _message("INVITE sip:user@example.com SIP/2.0", "CSeq: 193942 INVITE",
                      "Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf", "Content-Type: application/sdp", body=_SDP),
    "unkscm": _plain("OPTIONS", "unkscm", "nobodyKnowsThisScheme:totallyopaquecontent", From="sip:c@example.net;tag=384"),
    "novelsc": _plain("OPTIONS", "novelsc", "soap.beep://192.0.2.103:3002", To="sip:user@example.com"),
    "unksm2": _plain("REGISTER", "unksm2", "sip:example.com", To="isbn:2983792873", From="<http://www.example.com>;tag=3234233",
                     Contact="<name:John_Smith>"),
    "bext01": _plain("OPTIONS", "bext01", "sip:user@example.com", "Proxy-Require: nothingSupportsThis, nothingSupportsThisE"
                     "ither", "Require: nothingSupportsThis, nothingSupportsThisEither"),
    "invut": _plain("INVITE", "invut", "sip:user@example.com", "Content-Type: application/unknownformat",
                    body="<audio>\r\n <pcmu port=\"443\"/>\r\n</audio>\r\n"),
    "regaut01": _plain("REGISTER", "regaut01", "sip:example.com", "Authorization: NoOneKnowsThisScheme opaque-data=here",
                       To="sip:j.user@example.com", From="sip:j.user@example.com;tag=87321hj23128"),
    "multi01": _invite("multi01", "sip:user@company.com", "CSeq: 59 INVITE", "Call-ID: multi01.98asdh@192.0.2.2",
                       "From: sip:caller@example.com;tag=3413415", "To: sip:user@example.com", "Max-Forwards: 5",
                       "Contact: <sip:caller@host2.example.com>", "Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw"),
    "mcl01": _plain("OPTIONS", "mcl01", "sip:user@example.com", "Content-Length: 13", "Content-Type: text/plain",
                    body="There's no way to know how many octets are supposed to be here."),
    "bcast": _message("SIP/2.0 200 OK", "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923",
                      "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23", "Call-ID: bcast.0384840201234ksdfak3j2erwedfs",
                      "CSeq: 35 INVITE", "From: sip:user@example.com;tag=11141343", "To: sip:user@example.edu;tag=2229",
                      "Content-Type: application/sdp", "Contact: <sip:user@host198.example.com>", body=_SDP),
    "zeromf": _plain("OPTIONS", "zeromf", Max_Forwards="0"),
    "cparam01": _plain("REGISTER", "cparam01", "sip:example.com", To="sip:watson@example.com",
                       From="sip:watson@example.com;tag=DkfVgjkrtMwaerKKpe", Contact="sip:+19725552222@gw1.example.net;unknownparam"),
    "cparam02": _plain("REGISTER", "cparam02", "sip:example.com", To="sip:watson@example.com",
                       From="sip:watson@example.com;tag=838293", Contact="<sip:+19725552222@gw1.example.net;unknownparam>"),
    "regescrt": _plain("REGISTER", "regescrt", "sip:example.com", To="sip:user@example.com", From="sip:user@example.com;tag=8",
                       Contact="<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"),
    "sdp01": _invite("sdp01", "sip:user@example.com", "Accept: text/nobodyKnowsThis"),
    "inv2543": _message("INVITE sip:UserB@example.com SIP/2.0", "Via: SIP/2.0/UDP iftgw.example.com",
                        "From: <sip:+13035551111@ift.client.example.net;user=phone>", "Record-Route: <sip:UserB@example.com;"
                        "maddr=ss1.example.com>", "To: sip:+16505552222@ss1.example.net;user=phone",
                        "Call-ID: inv2543.1717@ift.client.example.com", "CSeq: 56 INVITE",
                        "Content-Type: application/sdp", body=_SDP, length=""),
}
