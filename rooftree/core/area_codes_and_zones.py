"""The state of each area code, and the time zone of ZIP codes inside split states.

From the numbering plan and the postal service, as of November 2026.
A code that is not listed settles nothing, and the caller keeps every zone.
"""

_AREA_CODE_TABLE = """
AL 205 251 256 334 659 938
AK 907
AZ 480 520 602 623 928
AR 327 479 501 870
CA 209 213 279 310 323 341 350 369 408 415 424 442 510 530 559 562 619 626 628 650 657 661 669
CA 707 714 738 747 760 805 818 820 831 840 858 909 916 925 949 951
CO 303 719 720 748 970 983
CT 203 475 860 959
DE 302
FL 239 305 321 324 352 386 407 448 561 645 656 689 727 728 754 772 786 813 850 863 904 941 954
GA 229 404 470 478 678 706 762 770 912 943
HI 808
ID 208 986
IL 217 224 309 312 331 447 464 618 630 708 730 773 779 815 847 872
IN 219 260 317 463 574 765 812 930
IA 319 515 563 641 712
KS 316 620 785 913
KY 270 364 502 606 859
LA 225 318 337 504 985
ME 207
MD 227 240 301 410 443 667
MA 339 351 413 508 617 774 781 857 978
MI 231 248 269 313 517 586 616 734 810 906 947 989
MN 218 320 507 612 651 763 952
MS 228 601 662 769
MO 235 314 417 557 573 636 660 816 975
MT 406
NE 308 402 531
NV 702 725 775
NH 603
NJ 201 551 609 640 732 848 856 862 908 973
NM 505 575
NY 212 315 329 332 347 363 516 518 585 607 631 646 680 716 718 838 845 914 917 929 934
NC 252 336 472 704 743 828 910 919 980 984
ND 701
OH 216 220 234 283 326 330 380 419 436 440 513 567 614 740 937
OK 405 539 572 580 918
OR 458 503 541 971
PA 215 223 267 272 412 445 484 570 582 610 717 724 814 835 878
RI 401
SC 803 821 839 843 854 864
SD 605
TN 423 615 629 731 865 901 931
TX 210 214 254 281 325 346 361 409 430 432 469 512 621 682 713 726 737 806 817 830 832 903 915
TX 936 940 945 956 972 979
UT 385 435 801
VT 802
VA 276 434 540 571 686 703 757 804 826 948
DC 202 771
WA 206 253 360 425 509 564
WV 304 681
WI 262 274 353 414 534 608 715 920
WY 307
PR 787 939
VI 340
GU 671
AS 684
MP 670
"""
STATE_BY_AREA_CODE: dict[str, str] = {
    code: line.split()[0]
    for line in _AREA_CODE_TABLE.strip().splitlines()
    for code in line.split()[1:]
}

_STATE_NAME_TABLE = """\
AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut
DE Delaware|DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana
IA Iowa|KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan
MN Minnesota|MS Mississippi|MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire
NJ New Jersey|NM New Mexico|NY New York|NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma
OR Oregon|PA Pennsylvania|RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas
UT Utah|VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming
PR Puerto Rico|VI U.S. Virgin Islands|GU Guam|AS American Samoa|MP Northern Mariana Islands"""
STATE_NAMES: dict[str, str] = {
    entry[:2]: entry[3:] for line in _STATE_NAME_TABLE.splitlines() for entry in line.split("|")
}

# Area codes inside one zone that is not the first zone of their state.
ZONE_BY_AREA_CODE: dict[str, str] = {"865": "America/New_York", "915": "America/Denver"}

_EASTERN, _CENTRAL, _MOUNTAIN = "America/New_York", "America/Chicago", "America/Denver"
# State, first and last three-digit ZIP prefix, and zone. A prefix left out is not settled.
_ZIP_RANGES = (
    ("FL", 320, 323, _EASTERN),
    ("FL", 325, 325, _CENTRAL),
    ("FL", 326, 349, _EASTERN),
    ("TX", 750, 797, _CENTRAL),
    ("TX", 799, 799, _MOUNTAIN),
    ("TX", 885, 885, _MOUNTAIN),
    ("TN", 370, 372, _CENTRAL),
    ("TN", 374, 374, _EASTERN),
    ("TN", 376, 379, _EASTERN),
    ("TN", 380, 385, _CENTRAL),
    ("KY", 400, 418, _EASTERN),
    ("KY", 420, 424, _CENTRAL),
    ("OR", 970, 976, "America/Los_Angeles"),
    ("ID", 832, 834, "America/Boise"),
    ("ID", 837, 837, "America/Boise"),
    ("ID", 838, 838, "America/Los_Angeles"),
    ("IN", 460, 462, "America/Indiana/Indianapolis"),
    ("IN", 463, 464, _CENTRAL),
    ("IN", 467, 468, "America/Indiana/Indianapolis"),
    ("MI", 480, 497, "America/Detroit"),
    ("KS", 660, 676, _CENTRAL),
    ("NE", 680, 688, _CENTRAL),
    ("ND", 580, 584, _CENTRAL),
    ("SD", 570, 573, _CENTRAL),
    ("AZ", 850, 853, "America/Phoenix"),
    ("AZ", 856, 857, "America/Phoenix"),
    ("NV", 889, 891, "America/Los_Angeles"),
    ("NV", 894, 897, "America/Los_Angeles"),
)


def area_code(phone: str) -> str | None:
    """Return the three-digit area code of a North American E.164 number, else None."""
    is_north_american = len(phone) == 12 and phone.startswith("+1") and phone[1:].isdigit()
    return phone[2:5] if is_north_american else None


def state_of_number(phone: str) -> str | None:
    """Return the state of a number's area code; None for toll-free, Canada and the rest."""
    return STATE_BY_AREA_CODE.get(area_code(phone) or "")


def zone_of_zip(state: str, postal_code: str) -> str | None:
    """Return the time zone of a ZIP code inside a split state; None when it settles nothing."""
    prefix = postal_code[:3]
    if len(prefix) == 3 and prefix.isdigit():
        for code, first, last, zone in _ZIP_RANGES:
            if code == state and first <= int(prefix) <= last:
                return zone
    return None
